"""Proves on data that a strategy does not look ahead and that its warm-up is enough."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trading.quant.strategies.strategy import Candles, Hints, Strategy

if TYPE_CHECKING:
    from trading.quant.strategies.strategy import FloatArray

TOLERANCE = 1e-9


def problems(strategy: Strategy, candles: Candles, cuts: int = 40) -> list[str]:
    """Say what is wrong with a strategy on these candles; an empty list when nothing is.

    Scores and hints on histories cut short must equal those on the whole; on a window that starts
    ``warm_up`` bars before a bar they must equal them too; repeating must not change them; scores
    lie in [-1, 1], none is missing once warm and none is there before. Other symbols' candles are
    cut along.
    """
    import numpy as np

    if not 1 <= strategy.warm_up <= len(candles):
        return [f"cannot be checked: {len(candles)} bars, and a warm-up of {strategy.warm_up}"]
    full, wrong = _said(strategy, candles, 0, len(candles))
    if full is None:
        return [wrong]
    found = list(_of_one_run(strategy, candles, full))
    ends = np.unique(np.linspace(strategy.warm_up, len(candles), cuts).astype(int))
    for end in ends:
        known, _ = _said(strategy, candles, 0, int(end))
        if known is None or not _same(known, full[:, :end]):
            found.append(f"looks ahead: cutting off what follows bar {end} changes its scores")
            break
    for end in ends:
        short, _ = _said(strategy, candles, int(end) - strategy.warm_up, int(end))
        if short is None or not _same(short[:, -1], full[:, end - 1]):
            found.append(f"needs more warm-up than {strategy.warm_up} bars (seen at bar {end})")
            break
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
            return None, f"gives {len(row)} {name} for {bars} bars"
    return np.stack(rows), ""


def _same(some: FloatArray, others: FloatArray) -> bool:
    """Whether figures are equal but for rounding, missing ones included."""
    import numpy as np

    return bool(np.allclose(some, others, atol=TOLERANCE, equal_nan=True))


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
