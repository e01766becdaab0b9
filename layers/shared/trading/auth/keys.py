"""The text form of an API key, ``tk_<id>_<secret>``, and the hash that is stored of it.

The id is 21 lower-case hexadecimal digits that sort by time of creation; the secret is 32 random
bytes as 64 hexadecimal digits. Random secrets of 256 bits cannot be guessed from a hash however
fast it is, so SHA-256 serves; slow hashes are for passwords that people choose.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime
from typing import NamedTuple

from trading.domain.api_key import ApiKey
from trading.domain.identifiers import time_sorted_id

SECRET_BYTES = 32
_FORMAT = re.compile(r"tk_([0-9a-z]{8,40})_([0-9a-f]{64})", re.ASCII)


class Credential(NamedTuple):
    """A key taken apart. Never log or store ``secret``."""

    key_id: str
    secret: str

    @property
    def text(self) -> str:
        """The key as its holder sends it."""
        return f"tk_{self.key_id}_{self.secret}"


def parse(text: str) -> Credential | None:
    """Take a key apart, or return None for what is not of a key's form."""
    match = _FORMAT.fullmatch(text)
    return Credential(match[1], match[2]) if match else None


def new_credential(now: datetime) -> Credential:
    """Make a key with a new id."""
    return Credential(time_sorted_id("", now), new_secret())


def new_secret() -> str:
    """Return 256 random bits."""
    return secrets.token_hex(SECRET_BYTES)


def hash_secret(secret: str) -> str:
    """Return the stored form of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def verified_generation(key: ApiKey, credential: Credential, now: datetime) -> int | None:
    """Return which secret of a usable key this is; None if the key must not pass."""
    generation = key.generation_of(hash_secret(credential.secret), now)
    return generation if key.usable(now) else None
