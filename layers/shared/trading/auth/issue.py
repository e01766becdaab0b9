"""Making a key, and giving it a new secret. Pure: who calls writes the record."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import datetime, timedelta

from trading.auth.keys import Credential, hash_secret, new_credential, new_secret
from trading.auth.scopes import check_scopes
from trading.domain.api_key import ApiKey
from trading.domain.errors import Conflict, InvalidInput


def issue(
    name: str,
    scopes: Iterable[str],
    now: datetime,
    portfolios: Iterable[str] | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Return a new key's record and its text, which exists nowhere else.

    ``portfolios`` binds the key to these; None leaves it unbound. Raises InvalidInput for an
    unknown scope, an empty list, or an end that has passed.
    """
    bound = None if portfolios is None else tuple(sorted(set(portfolios)))
    if bound == ():
        raise InvalidInput("portfolios", "must name at least one portfolio, or be left out")
    if expires_at is not None and expires_at <= now:
        raise InvalidInput("expires_at", "must lie in the future")
    credential = new_credential(now)
    record = ApiKey(
        id=credential.key_id,
        name=name,
        scopes=check_scopes(scopes),
        portfolios=bound,
        created_at=now,
        secret_hash=hash_secret(credential.secret),
        expires_at=expires_at,
    )
    return record, credential.text


def rotate(key: ApiKey, overlap: timedelta, now: datetime) -> tuple[ApiKey, str]:
    """Return the record with a new secret, and the key's new text.

    The secret of now stays valid for ``overlap``; one from a rotation before ends at once. Raises
    Conflict for a key that is revoked or expired.
    """
    if not key.usable(now):
        raise Conflict(f"the key '{key.id}' is revoked or expired")
    credential = Credential(key.id, new_secret())
    changed = dataclasses.replace(
        key,
        secret_hash=hash_secret(credential.secret),
        generation=key.generation + 1,
        rotated_at=now,
        previous_hash=key.secret_hash,
        previous_until=now + overlap,
    )
    return changed, credential.text
