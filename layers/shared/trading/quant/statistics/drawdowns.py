"""How far, and for how long, a curve was below its peak."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from trading.quant.strategies.strategy import FloatArray


class Drawdown(NamedTuple):
    """The deepest fall from a peak as a fraction at most 0, and the longest time below one.

    ``longest_seconds`` is from a peak to the moment it is reached again, or to the end.
    """

    deepest: float
    longest_seconds: float


def drawdown(equity: FloatArray, time: FloatArray) -> Drawdown:
    """Measure a curve that begins at a peak; ``time`` in seconds."""
    import numpy as np

    peak = np.maximum.accumulate(equity)
    marks = np.flatnonzero(equity == peak)
    last = len(equity) - 1
    # From one peak to the next bar that is one again nothing was lost.
    starts, ends = marks[:-1], marks[1:]
    apart = ends - starts > 1
    lost = time[ends[apart]] - time[starts[apart]]
    longest = float(lost.max()) if len(lost) else 0.0
    if marks[-1] != last:
        longest = max(longest, float(time[last] - time[marks[-1]]))
    deepest = float((equity / peak).min()) - 1 if peak[0] > 0 else 0.0
    return Drawdown(min(deepest, 0.0), longest)
