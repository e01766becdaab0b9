"""How long the invocation at hand may still run.

Lambda ends an invocation at its time limit without a word; whoever waits or tries again asks here
first, so that there is time left to answer.
"""

from __future__ import annotations

import time
from contextvars import ContextVar

_end: ContextVar[float | None] = ContextVar("deadline", default=None)


def begin(context: object) -> None:
    """Take the end of this invocation from Lambda's context, if it tells one."""
    remaining_ms = getattr(context, "get_remaining_time_in_millis", None)
    _end.set(time.monotonic() + remaining_ms() / 1000 if remaining_ms else None)


def remaining() -> float | None:
    """Seconds until the invocation is ended; None outside of one."""
    end = _end.get()
    return None if end is None else max(0.0, end - time.monotonic())
