"""An API key as it is stored: what it may do, and hashes of its secret, never the secret.

Plain dataclasses, for the authorizer runs on every request and must start fast.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

NOTED_EVERY = timedelta(hours=1)


@dataclass(frozen=True)
class ApiKey:
    """A key's record. ``portfolios`` is None for a key that is not bound to any.

    ``generation`` counts the secrets that the key has had. ``previous_hash`` is that of the secret
    before a rotation, which stays valid until ``previous_until``. ``last_used_at`` is exact to
    ``NOTED_EVERY``, so that using a key costs no write.
    """

    id: str
    name: str
    scopes: tuple[str, ...]
    portfolios: tuple[str, ...] | None
    created_at: datetime
    secret_hash: str
    generation: int = 1
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    rotated_at: datetime | None = None
    previous_hash: str | None = None
    previous_until: datetime | None = None
    last_used_at: datetime | None = None

    def use_is_news(self, now: datetime) -> bool:
        """Tell whether that the key is used now is worth a write."""
        return self.last_used_at is None or now - self.last_used_at >= NOTED_EVERY

    def usable(self, now: datetime) -> bool:
        """Tell whether the key is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def generation_of(self, secret_hash: str, now: datetime) -> int | None:
        """Return which of the key's secrets this is the hash of; None if none that is valid."""
        # Both are always compared, so that the time taken tells nothing.
        current = hmac.compare_digest(self.secret_hash, secret_hash)
        previous = hmac.compare_digest(self.previous_hash or "", secret_hash)
        if current:
            return self.generation
        if previous and self.previous_until is not None and now < self.previous_until:
            return self.generation - 1
        return None
