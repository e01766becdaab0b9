"""Tries again when somebody else changed the books first."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from trading.domain.errors import ConcurrentUpdate

T = TypeVar("T")
ATTEMPTS = 10
BASE_SECONDS = 0.02
CAP_SECONDS = 1.0


def retried(action: Callable[[], T]) -> T:
    """Run ``action``, which reads and decides anew each time, until its write is not outrun.

    Waits a random part of an exponentially growing span between tries ('full jitter', AWS
    Architecture Blog, Exponential Backoff and Jitter). Raises ConcurrentUpdate after the last.
    """
    for attempt in range(ATTEMPTS - 1):
        try:
            return action()
        except ConcurrentUpdate:
            span = min(CAP_SECONDS, BASE_SECONDS * 2**attempt)
            time.sleep(random.uniform(0, span))  # noqa: S311 - spreads load, guards no secret
    return action()
