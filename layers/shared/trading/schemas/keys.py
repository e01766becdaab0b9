"""Wire models of the keys service."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from trading.domain.api_key import ApiKey
from trading.schemas.base import PortfolioId, UtcDatetime, Whole, Wire

MAX_OVERLAP_SECONDS = 7 * 24 * 3600


class KeyRequest(Wire):
    """A key to be made. Without ``portfolios`` it is good for all, without ``expires_at`` for ever.

    Whoever holds ``keys:admin`` may grant every scope and portfolio.
    """

    name: Annotated[str, Field(min_length=1, max_length=100)]
    scopes: Annotated[
        list[Annotated[str, Field(max_length=64)]], Field(min_length=1, max_length=40)
    ]
    portfolios: Annotated[list[PortfolioId], Field(min_length=1, max_length=100)] | None = None
    expires_at: UtcDatetime | None = None


class RotateRequest(Wire):
    """A change of secret; the old one stays valid for ``overlap_seconds`` more."""

    overlap_seconds: Annotated[Whole, Field(ge=0, le=MAX_OVERLAP_SECONDS)] = 3600


class KeyView(Wire):
    """A key without its secret. ``portfolios`` is null for a key that is good for all."""

    id: str
    name: str
    scopes: list[str]
    portfolios: list[str] | None
    generation: int = Field(description="How many secrets the key has had.")
    created_at: UtcDatetime
    expires_at: UtcDatetime | None
    rotated_at: UtcDatetime | None
    previous_valid_until: UtcDatetime | None = Field(
        description="Until when the secret before the last rotation is accepted."
    )
    revoked_at: UtcDatetime | None
    last_used_at: UtcDatetime | None = Field(
        description="When it was used last, to the hour; null if it never was."
    )


class IssuedKey(KeyView):
    """A key with its text, which is shown this once: a repeat of the request answers null."""

    key: str | None = Field(description="Send this as X-TRADING-API-KEY.")

    def without_secret(self) -> IssuedKey:
        """Return the answer as it may be kept."""
        return self.model_copy(update={"key": None})


def view(key: ApiKey) -> KeyView:
    """Show a key."""
    return KeyView(
        id=key.id,
        name=key.name,
        scopes=list(key.scopes),
        portfolios=None if key.portfolios is None else list(key.portfolios),
        generation=key.generation,
        created_at=key.created_at,
        expires_at=key.expires_at,
        rotated_at=key.rotated_at,
        previous_valid_until=key.previous_until,
        revoked_at=key.revoked_at,
        last_used_at=key.last_used_at,
    )


def issued(key: ApiKey, text: str) -> IssuedKey:
    """Show a key with its text."""
    return IssuedKey(**view(key).model_dump(), key=text)
