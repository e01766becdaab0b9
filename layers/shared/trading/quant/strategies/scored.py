"""Calls a strategy, which is other people's code: checks what it answers, and ends it in time."""

from __future__ import annotations

import ctypes
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

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

_T = TypeVar("_T")
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
    number of scores than there are bars, a score that is infinite or outside [-1, 1], or none
    (NaN) after its warm-up. It cannot write into the candles.
    """
    import numpy as np

    if len(candles) < strategy.warm_up:
        return Scored(np.full(len(candles), NO_SCORE, np.int64))
    shown = candles.read_only()
    try:
        scores, hints = in_time(
            lambda: (np.asarray(strategy.score(shown), float), strategy.hints(shown)),
            limit_seconds,
        )
    except OutOfTime:
        raise StrategyFailed(name, f"did not end within {limit_seconds:g} s") from None
    except (Exception, SystemExit) as error:
        # Another team's code may fail in any way; it is named, and the others go on.
        logger.exception("a strategy failed", extra={"strategy": name})
        # What it said of itself is in the log: it may hold what is not for every caller.
        why = f"failed on {candles.symbol}: {type(error).__name__}"
        raise StrategyFailed(name, why) from error
    _check(scores, strategy.warm_up, candles, name)
    return Scored(exact_scores(scores), **_exact_hints(hints, candles, name))


def exact_scores(scores: FloatArray) -> NDArray[np.int64]:
    """Scores in millionths, ties to even; NO_SCORE for NaN."""
    import numpy as np

    missing = np.isnan(scores)
    units = scores * SCORE_UNITS
    np.rint(units, out=units)
    if missing.any():
        units[missing] = NO_SCORE
    whole: NDArray[np.int64] = units.astype(np.int64)
    return whole


def millionths(units: int) -> Decimal:
    """A score or hint as an amount."""
    return Decimal(units).scaleb(-6)


def others_of(strategy: Strategy, name: str, symbol: str, universe: Sequence[str]) -> list[str]:
    """What else a strategy wants beside a symbol. Raises StrategyFailed where it cannot say."""
    try:
        return [other for other in strategy.others(symbol, universe) if other != symbol]
    except Exception as error:
        logger.exception("a strategy failed", extra={"strategy": name})
        why = f"cannot say what it needs beside {symbol}: {type(error).__name__}"
        raise StrategyFailed(name, why) from error


def _check(scores: FloatArray, warm_up: int, candles: Candles, name: str) -> None:
    """Raise StrategyFailed for scores that cannot be."""
    import numpy as np

    if scores.shape != (len(candles),):
        given = f"{len(scores)} scores" if scores.ndim == 1 else f"scores of shape {scores.shape}"
        raise StrategyFailed(name, f"gave {given} for {len(candles)} bars")
    warm, cold = scores[warm_up - 1 :], scores[: warm_up - 1]
    # Extremes of what holds NaN are NaN, which no comparison accepts; most strategies end here.
    if warm.min() >= -1 and warm.max() <= 1 and not (np.abs(cold) > 1).any():
        return
    missing = np.isnan(warm)
    if missing.any():
        bar = warm_up - 1 + int(missing.argmax())
        raise StrategyFailed(name, f"gave no score (NaN) on bar {bar}, after its warm-up")
    bar = int((np.abs(scores) > 1).argmax())
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


class OutOfTime(Exception):
    """A call took longer than it may."""


class _TimeUp(BaseException):
    """Ends a strategy; not an Exception, so that one that catches those cannot go on."""


class _Worker:
    """A thread that makes one call after the other; it ends with the process.

    It is kept, since one made anew for every call would also touch new memory for every call.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[tuple[Callable[[], Any], SimpleQueue[_Outcome]]] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="strategy", daemon=True)
        self._thread.start()

    def outcome_of(self, call: Callable[[], Any], seconds: float) -> _Outcome | None:
        """What a call came to; None if it takes longer, and the worker is lost to it."""
        answer: SimpleQueue[_Outcome] = SimpleQueue()
        self._calls.put((call, answer))
        try:
            return answer.get(timeout=seconds)
        except Empty:
            ident = ctypes.c_ulong(self._thread.ident or 0)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(_TimeUp))
            return None

    def _work(self) -> None:
        try:
            while True:
                call, answer = self._calls.get()
                try:
                    outcome = _Outcome(call(), None)
                except (Exception, SystemExit) as error:  # noqa: BLE001 - the caller raises it
                    outcome = _Outcome(None, error)
                answer.put(outcome)
                del call, answer, outcome
        except _TimeUp:
            return


class _Outcome(NamedTuple):
    """What a call gave, or raised."""

    value: Any
    error: BaseException | None


_idle: SimpleQueue[_Worker] = SimpleQueue()


def in_time(call: Callable[[], _T], seconds: float | None) -> _T:
    """What a call gives, made in another thread. Raises OutOfTime when it takes longer.

    It is then told to stop, which it does at its next step of Python code; a call into a library
    that never returns stays behind in its thread, which ends with the process.
    """
    if seconds is None:
        return call()
    try:
        worker = _idle.get_nowait()
    except Empty:
        worker = _Worker()
    outcome = worker.outcome_of(call, seconds)
    if outcome is None:
        raise OutOfTime
    _idle.put(worker)
    if outcome.error is not None:
        raise outcome.error
    value: _T = outcome.value
    return value
