"""Windows that move over a column; bit for bit the same wherever the history begins.

Running sums remember all that they ever added, rounding included, so that a score could differ
between a backtest over years and live over a window. These add each window up by itself, in the
same order: work grows with bars times window, memory with bars alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trading.quant.strategies.candles import FloatArray


def mean(values: FloatArray, bars: int) -> FloatArray:
    """The arithmetic mean of the newest ``bars`` values on each bar; NaN before there are any."""
    import numpy as np

    total = _windows_sum(values, bars)
    return np.concatenate([np.full(min(bars - 1, len(values)), np.nan), total / bars])


def deviation(values: FloatArray, bars: int) -> FloatArray:
    """The population standard deviation of the newest ``bars`` values; NaN before.

    From the squared distances to each window's own mean, which lose nothing where the values are
    large beside their spread.
    """
    import numpy as np

    count = len(values) - bars + 1
    middle = mean(values, bars)[bars - 1 :]
    total = np.zeros(max(count, 0))
    for start in range(bars if count > 0 else 0):
        total += (values[start : start + count] - middle) ** 2
    return np.concatenate([np.full(min(bars - 1, len(values)), np.nan), np.sqrt(total / bars)])


def before(values: FloatArray, bars: int = 1) -> FloatArray:
    """The value of so many bars ago; NaN where there is none."""
    import numpy as np

    missing = np.full(min(bars, len(values)), np.nan)
    return np.concatenate([missing, values[: max(len(values) - bars, 0)]])


def since(events: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many bars ago the newest event was, 0 on its own bar; more than all bars for none."""
    import numpy as np

    bars = np.arange(len(events))
    newest = np.maximum.accumulate(np.where(events, bars, -len(events) - 1))
    ago: NDArray[np.int64] = bars - newest
    return ago


def _windows_sum(values: FloatArray, bars: int) -> FloatArray:
    """The sum of every whole window, each added up from its oldest value to its newest."""
    import numpy as np

    count = len(values) - bars + 1
    total = np.zeros(max(count, 0))
    for start in range(bars if count > 0 else 0):
        total += values[start : start + count]
    return total
