"""Tries again when somebody else changed the books first, or the database asks to slow down."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

from trading import deadline
from trading.domain.errors import ConcurrentUpdate, Throttled

T = TypeVar("T")
ATTEMPTS = 20
BASE_SECONDS = 0.02
CAP_SECONDS = 1.0
BUSY = (ConcurrentUpdate, Throttled)
"""What trying again may help against."""


def retried(action: Callable[[], T]) -> T:
    """Run ``action``, which reads and decides anew each time, until its write is not outrun.

    Waits a random part of an exponentially growing span between tries ('full jitter', AWS
    Architecture Blog, Exponential Backoff and Jitter), as long as the invocation has time to
    spare. Raises the last try's ConcurrentUpdate or Throttled.
    """
    for attempt in range(ATTEMPTS - 1):
        try:
            return action()
        except BUSY:
            span = min(CAP_SECONDS, BASE_SECONDS * 2**attempt)
            if not deadline.wait(random.uniform(0, span)):  # noqa: S311 - spreads load only
                raise
    return action()
