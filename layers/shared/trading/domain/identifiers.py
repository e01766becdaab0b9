"""Identifiers: made from what caused a thing, or sorted by time where nothing caused it."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime

SYMBOL_PATTERN = r"^[A-Z0-9][A-Z0-9._:-]{0,31}$"
PORTFOLIO_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,47}$"
IDEMPOTENCY_KEY_PATTERN = r"^[\x21-\x7e]{1,128}$"


def derived_id(prefix: str, *causes: str) -> str:
    """Return the id of the one thing that these causes can make, such as ``ord_3f0c…``.

    The same causes always give the same id, so that making the thing twice is noticed. The
    causes are length-prefixed before hashing: ('a', 'bc') and ('ab', 'c') differ.
    """
    text = "".join([f"{len(cause)}:{cause}" for cause in causes])
    return f"{prefix}_{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def time_sorted_id(prefix: str, now: datetime) -> str:
    """Return a new random id whose text order is the order of creation (milliseconds)."""
    milliseconds = int(now.timestamp() * 1000)
    return f"{prefix}{milliseconds:011x}{os.urandom(5).hex()}"
