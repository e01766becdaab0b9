"""How far, and for how long, a curve was below its peak."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, NamedTuple

from trading.quant.simulation.compiled import address, library

if TYPE_CHECKING:
    from trading.quant.strategies.strategy import FloatArray


class Drawdown(NamedTuple):
    """The deepest fall from a peak as a fraction at most 0, and the longest time below one.

    ``longest_seconds`` is from a peak to the moment it is reached again, or to the end.
    """

    deepest: float
    longest_seconds: float


def drawdown(equity: FloatArray, time: FloatArray, start: float, began: float) -> Drawdown:
    """Measure a curve that begins at a peak of ``start``, in ``began``; times in seconds.

    Without a positive ``start`` nothing can be lost of it, and the deepest fall is 0.
    """
    import numpy as np

    lib = library()
    if lib is not None and len(equity) and start > 0:
        equity, time = (np.ascontiguousarray(column, np.float64) for column in (equity, time))
        lowest, longest = ctypes.c_double(), ctypes.c_double()
        lib.trading_drawdown(
            ctypes.c_int64(len(equity)),
            address(equity),
            address(time),
            ctypes.c_double(start),
            ctypes.c_double(began),
            ctypes.byref(lowest),
            ctypes.byref(longest),
        )
        return Drawdown(lowest.value - 1, longest.value)
    return _by_columns(equity, time, start, began)


def _by_columns(equity: FloatArray, time: FloatArray, start: float, began: float) -> Drawdown:
    """The same without the compiled library."""
    import numpy as np

    peak = np.maximum.accumulate(equity)
    np.maximum(peak, start, out=peak)
    marks = np.flatnonzero(equity == peak)
    # What is lost between two peaks is told by the lowest value from one up to the next.
    sections = marks if len(marks) and marks[0] == 0 else np.append(0, marks)
    lowest = np.minimum.reduceat(equity, sections)
    tops = peak[sections]
    deepest = float((lowest / tops).min()) - 1 if start > 0 else 0.0
    reached = np.append(began, time[marks])
    apart = np.diff(np.append(-1, marks)) > 1
    lost = np.diff(reached)[apart]
    longest = float(lost.max()) if len(lost) else 0.0
    if not len(marks) or marks[-1] != len(equity) - 1:
        longest = max(longest, float(time[-1] - reached[-1]))
    return Drawdown(min(deepest, 0.0), longest)
