"""Proves on data that a strategy does not look ahead and that its warm-up is enough."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

from trading.quant.strategies.scored import OutOfTime, in_time
from trading.quant.strategies.strategy import Candles, Hints, Strategy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trading.quant.strategies.strategy import FloatArray

TOLERANCE = 1e-9
CUTS = 2_000
"""At how many places the future is cut off, at most."""
LIMIT_SECONDS = 60.0
logger = logging.getLogger(__name__)


def problems(
    strategy: Strategy, candles: Candles, cuts: int = CUTS, limit_seconds: float = LIMIT_SECONDS
) -> list[str]:
    """Say what is wrong with a strategy on these candles; an empty list when nothing is.

    Scores and hints on histories cut short must equal those on the whole; on a window that starts
    ``warm_up`` bars before a bar they must equal them too; repeating must not change them; scores
    lie in [-1, 1], none is missing once warm and none is there before. Other symbols' candles are
    cut along. The cuts are after every bar, or after ``cuts`` of them: beside changes of the score,
    evenly, and at random. A strategy that raises, or takes longer than ``limit_seconds`` for all of
    this, has that problem.
    """
    try:
        return in_time(lambda: list(_found(strategy, candles, cuts)), limit_seconds)
    except OutOfTime:
        return [f"cannot be checked: it did not end within {limit_seconds:g} s"]
    except (Exception, SystemExit) as error:
        logger.warning("a strategy failed its check", exc_info=True)
        return [f"failed: {type(error).__name__}"]


def _found(strategy: Strategy, candles: Candles, cuts: int) -> Iterator[str]:
    """Each problem, as it is found."""
    if not 1 <= strategy.warm_up <= len(candles):
        yield f"cannot be checked: {len(candles)} bars, and a warm-up of {strategy.warm_up}"
        return
    full, wrong = _said(strategy, candles, 0, len(candles))
    if full is None:
        yield wrong
        return
    yield from _of_one_run(strategy, candles, full)
    ends = _ends(full, strategy.warm_up, cuts)
    for end in ends:
        known, _ = _said(strategy, candles, 0, int(end))
        if known is None or not _same(known, full[:, :end]):
            yield f"looks ahead: cutting off what follows bar {end} changes its scores"
            break
    for end in ends:
        short, _ = _said(strategy, candles, int(end) - strategy.warm_up, int(end))
        if short is None or not _same(short[:, -1], full[:, end - 1]):
            yield f"needs more warm-up than {strategy.warm_up} bars (seen at bar {end})"
            break


def _ends(full: FloatArray, warm_up: int, cuts: int) -> NDArray[np.int64]:
    """After which bars to cut, at most ``cuts``, rising.

    Half of them on both sides of changes, since one who peeks changes too early, a quarter evenly,
    the rest at random, the same every time.
    """
    import numpy as np

    every: NDArray[np.int64] = np.arange(warm_up, full.shape[1] + 1)
    if len(every) <= cuts:
        return every
    draw = np.random.default_rng(0)
    before, after = full[:, :-1], full[:, 1:]
    differ = (before != after) & ~(np.isnan(before) & np.isnan(after))
    changed = np.flatnonzero(differ.any(axis=0)) + 1
    changed = changed[changed >= warm_up]
    some = draw.permutation(changed)[: cuts // 4]
    evenly = np.linspace(warm_up, full.shape[1], cuts // 4).astype(np.int64)
    anywhere = draw.choice(every, cuts // 4, replace=False)
    found: NDArray[np.int64] = np.unique(np.concatenate([some, some + 1, evenly, anywhere]))
    return found


def _said(
    strategy: Strategy, candles: Candles, start: int, end: int
) -> tuple[FloatArray | None, str]:
    """Scores and hints on some bars, as rows; None and why where there is not one per bar.

    Every run gets a copy, so that a strategy which writes into its candles is found out.
    """
    import numpy as np

    seen, bars = candles.part(start, end), end - start
    hints = strategy.hints(seen) or Hints()
    given = [strategy.score(seen), *hints]
    rows = [np.full(bars, np.nan) if row is None else np.asarray(row, float) for row in given]
    for name, row in zip(("scores", *Hints._fields), rows, strict=True):
        if row.shape != (bars,):
            shape = f"{len(row)}" if row.ndim == 1 else f"an array of shape {row.shape} as"
            return None, f"gives {shape} {name} for {bars} bars"
    return np.stack(rows), ""


def _same(some: FloatArray, others: FloatArray) -> bool:
    """Whether figures are equal but for rounding, missing ones included."""
    import numpy as np

    # Nearly always they are equal to the bit, which is told much faster.
    return bool(
        np.array_equal(some, others, equal_nan=True)
        or np.allclose(some, others, atol=TOLERANCE, equal_nan=True)
    )


def _of_one_run(strategy: Strategy, candles: Candles, full: FloatArray) -> Iterator[str]:
    """What one run and its repetition show."""
    import numpy as np

    scores = full[0]
    again, _ = _said(strategy, candles, 0, len(candles))
    if again is None or not np.array_equal(again, full, equal_nan=True):
        yield "is not deterministic: a second run gives other scores"
    warm = scores[strategy.warm_up - 1 :]
    if np.isnan(warm).any():
        yield "gives no score on some bars after its warm-up"
    if not np.isnan(scores[: strategy.warm_up - 1]).all():
        yield "gives scores before its warm-up is over"
    if (np.abs(scores[~np.isnan(scores)]) > 1).any():
        yield "gives scores outside [-1, 1]"
