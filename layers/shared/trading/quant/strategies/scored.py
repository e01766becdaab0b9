"""Calls a strategy, which is other people's code: checks what it answers, and ends it in time."""

from __future__ import annotations

import ctypes
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trading.domain.errors import StrategyFailed
from trading.quant.strategies.strategy import Candles, Hints, Strategy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trading.quant.strategies.candles import FloatArray

SCORE_UNITS = 1_000_000
"""Scores and hints are kept in millionths."""
NO_SCORE = -(2**31)
"""Stands for a bar without a score, or a bar without a hint."""
LIMIT_SECONDS = 60.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Scored:
    """What a strategy says of every bar, in millionths; NO_SCORE where it says nothing.

    ``scores`` are from -1,000,000 to 1,000,000. The hints are None where it gives none at all.
    """

    scores: NDArray[np.int64]
    stop_distance: NDArray[np.int64] | None = None
    target_distance: NDArray[np.int64] | None = None
    size: NDArray[np.int64] | None = None


def scored(
    strategy: Strategy, candles: Candles, name: str, limit_seconds: float | None = LIMIT_SECONDS
) -> Scored:
    """Score a window of candles.

    Raises StrategyFailed naming the strategy when it raises, does not end in time, gives another
    number of scores than there are bars, or a score that is infinite or outside [-1, 1].
    """
    import numpy as np

    if len(candles) < strategy.warm_up:
        return Scored(np.full(len(candles), NO_SCORE, np.int64))
    try:
        with _in_time(limit_seconds):
            scores = np.asarray(strategy.score(candles), float)
            hints = strategy.hints(candles)
    except _TimeUp:
        raise StrategyFailed(name, f"did not end within {limit_seconds:g} s") from None
    except Exception as error:
        # Another team's code may fail in any way; it is named, and the others go on.
        logger.exception("a strategy failed", extra={"strategy": name})
        where = f"failed on {candles.symbol}"
        raise StrategyFailed(name, f"{where}: {type(error).__name__}: {error}") from error
    _check(scores, candles, name)
    return Scored(exact_scores(scores), **_exact_hints(hints, candles, name))


def exact_scores(scores: FloatArray) -> NDArray[np.int64]:
    """Scores in millionths, ties to even; NO_SCORE for NaN."""
    import numpy as np

    missing = np.isnan(scores)
    if missing.any():
        units: NDArray[np.int64] = np.rint(np.where(missing, 0.0, scores) * SCORE_UNITS).astype(
            np.int64
        )
        units[missing] = NO_SCORE
        return units
    whole: NDArray[np.int64] = np.rint(scores * SCORE_UNITS).astype(np.int64)
    return whole


def _check(scores: FloatArray, candles: Candles, name: str) -> None:
    """Raise StrategyFailed for scores that cannot be."""
    import numpy as np

    if scores.shape != (len(candles),):
        given = f"{len(scores)} scores" if scores.ndim == 1 else f"scores of shape {scores.shape}"
        raise StrategyFailed(name, f"gave {given} for {len(candles)} bars")
    # NaN compares as false, so only what is there and too large is caught.
    wrong = np.abs(scores) > 1
    if wrong.any():
        bar = int(wrong.argmax())
        raise StrategyFailed(name, f"gave a score of {scores[bar]:g} on bar {bar}, not in [-1, 1]")


def _exact_hints(
    hints: Hints | None, candles: Candles, name: str
) -> dict[str, NDArray[np.int64] | None]:
    """The hints in millionths. Raises StrategyFailed for one that cannot be."""
    import numpy as np

    found: dict[str, NDArray[np.int64] | None] = {}
    for field, values in (hints or Hints())._asdict().items():
        if values is None:
            continue
        array = np.asarray(values, float)
        most = 1.0 if field == "size" else np.inf
        if array.shape != (len(candles),) or np.isinf(array).any():
            raise StrategyFailed(name, f"{field} must be finite and one per bar")
        if ((array <= 0) | (array > most)).any():
            raise StrategyFailed(name, f"{field} must be above 0 and at most {most:g}")
        units = exact_scores(array)
        found[field] = np.where(units == 0, 1, units)
    return found


class _TimeUp(BaseException):
    """Not an Exception, so that a strategy that catches those cannot go on."""


@contextmanager
def _in_time(seconds: float | None) -> Iterator[None]:
    """Raise _TimeUp in this thread when the block takes longer.

    The interpreter looks for it between two steps of Python code, so that one call into a library
    that never returns is not ended; a function's or a process' own time limit is for that.
    """
    if seconds is None:
        yield
        return
    thread, lock = threading.get_ident(), threading.Lock()
    state = {"over": False, "raised": False}

    def interrupt() -> None:
        with lock:
            if not state["over"]:
                state["raised"] = True
                _raise_in(thread, _TimeUp)

    timer = threading.Timer(seconds, interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with lock:
            state["over"] = True
        timer.cancel()
    if state["raised"]:
        # It was raised as the block ended, and must not come up later somewhere else.
        _raise_in(thread, None)
        raise _TimeUp


def _raise_in(thread: int, kind: type[BaseException] | None) -> None:
    """Raise in a thread at its next step; None takes back what was not raised yet."""
    raised = ctypes.py_object(kind) if kind is not None else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), raised)
