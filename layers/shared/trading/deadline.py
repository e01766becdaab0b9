"""How long the invocation at hand may still run.

Lambda ends an invocation at its time limit without a word. Whoever waits or tries again asks here
first, so that there is time left to answer, or to hand the work back.
"""

from __future__ import annotations

import time
from contextvars import ContextVar

RESERVE_SECONDS = 2.0
"""What must be left after a wait: one more try, and an answer."""

_end: ContextVar[float | None] = ContextVar("deadline", default=None)


def begin(context: object) -> None:
    """Take the end of this invocation from Lambda's context, if it tells one."""
    remaining_ms = getattr(context, "get_remaining_time_in_millis", None)
    _end.set(time.monotonic() + remaining_ms() / 1000 if remaining_ms else None)


def spare() -> float | None:
    """Seconds that may be spent beside what is reserved; None where nothing ends the work."""
    end = _end.get()
    return None if end is None else max(0.0, end - time.monotonic() - RESERVE_SECONDS)


def wait(seconds: float) -> bool:
    """Wait, or return False at once if the invocation has not so much time to spare."""
    left = spare()
    if left is not None and seconds >= left:
        return False
    time.sleep(seconds)
    return True
