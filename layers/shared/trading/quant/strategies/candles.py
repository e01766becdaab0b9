"""The window of candles that a strategy sees: columns, other symbols, longer bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from trading.domain.candle import Candle
from trading.domain.errors import InvalidInput
from trading.domain.time import timeframe_length

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

COLUMNS = ("time", "open", "high", "low", "close", "volume")


@dataclass(frozen=True)
class Candles:
    """A window of candles as columns, oldest first; all columns are of one length.

    ``time`` is when each bar opens, in seconds since 1970; prices in the quote currency.
    ``others`` are other symbols' candles that a strategy asked for; ``of`` aligns them.
    """

    symbol: str
    timeframe: str
    time: FloatArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    others: Mapping[str, Candles] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.close)

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol that there are candles of, sorted."""
        return tuple(sorted({self.symbol, *self.others}))

    def first(self, bars: int) -> Candles:
        """The oldest ``bars`` of the window, as a copy: what was known then."""
        return self.part(0, bars)

    def part(self, start: int, end: int) -> Candles:
        """The bars from ``start`` up to ``end``, as a copy; of the others those of that time."""
        columns: dict[str, Any] = {n: getattr(self, n)[start:end].copy() for n in COLUMNS}
        bounds = columns["time"][[0, -1]] if len(columns["time"]) else (0.0, -1.0)
        others = {s: c.during(float(bounds[0]), float(bounds[1])) for s, c in self.others.items()}
        return Candles(self.symbol, self.timeframe, **columns, others=others)

    def during(self, first: float, last: float) -> Candles:
        """The bars that open from ``first`` to ``last``, both inclusive, as a copy."""
        import numpy as np

        start = int(np.searchsorted(self.time, first))
        end = int(np.searchsorted(self.time, last, side="right"))
        return self.part(start, max(start, end))

    def seeing(self, others: Mapping[str, Candles]) -> Candles:
        """The same candles with those of other symbols beside them."""
        return replace(self, others=dict(others))

    def of(self, symbol: str) -> Candles:
        """A symbol's columns on this window's bars; NaN on a bar where it has none.

        Raises InvalidInput for a symbol that the strategy was not given.
        """
        import numpy as np

        if symbol == self.symbol:
            return self
        if symbol not in self.others:
            known = ", ".join(self.symbols)
            raise InvalidInput("symbols", f"there are no candles of '{symbol}' (given: {known})")
        other = self.others[symbol]
        if not len(other):
            blank: dict[str, Any] = {
                name: np.full(len(self), np.nan) for name in COLUMNS if name != "time"
            }
            return Candles(symbol, self.timeframe, time=self.time, **blank)
        places = np.minimum(np.searchsorted(other.time, self.time), len(other) - 1)
        there = other.time[places] == self.time
        columns: dict[str, Any] = {
            name: np.where(there, getattr(other, name)[places], np.nan)
            for name in COLUMNS
            if name != "time"
        }
        return Candles(symbol, self.timeframe, time=self.time, **columns)

    def resampled(self, timeframe: str) -> Candles:
        """Longer bars made of these; only those that are complete, by UTC since 1970.

        A longer bar is complete once the last bar that can open in it has closed. One that begins
        before the window is left out, so that where a window begins does not show.
        Raises InvalidInput unless ``timeframe`` is a whole multiple of this window's.
        """
        import numpy as np

        first, last = self._groups(timeframe)
        columns: dict[str, Any] = {
            "time": self._bucket(timeframe)[first] * timeframe_length(timeframe).total_seconds(),
            "open": self.open[first],
            "close": self.close[last],
        }
        starts, ends = first, last + 1
        if len(first):
            columns["high"] = _reduce(np.maximum, self.high, starts, ends)
            columns["low"] = _reduce(np.minimum, self.low, starts, ends)
            columns["volume"] = _reduce(np.add, self.volume, starts, ends)
        else:
            columns |= {name: np.empty(0) for name in ("high", "low", "volume")}
        return Candles(self.symbol, timeframe, **columns)

    def aligned(self, values: FloatArray, timeframe: str) -> FloatArray:
        """One value per longer bar as one per bar: the last that was complete by then.

        ``values`` has the length of ``resampled(timeframe)``; NaN before the first is complete.
        """
        import numpy as np

        _, last = self._groups(timeframe)
        newest = np.searchsorted(last, np.arange(len(self)), side="right") - 1
        padded = np.append(values, np.nan)
        found: FloatArray = padded[newest]
        return found

    def _bucket(self, timeframe: str) -> NDArray[np.int64]:
        """Which longer bar each bar belongs to, counted since 1970."""
        import numpy as np

        longer, own = timeframe_length(timeframe), timeframe_length(self.timeframe)
        if longer <= own or longer % own:
            raise InvalidInput("timeframe", f"{timeframe} is not made of whole {self.timeframe}")
        return np.floor_divide(self.time, longer.total_seconds()).astype(np.int64)

    def _groups(self, timeframe: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The first and last bar of each complete longer bar."""
        import numpy as np

        bucket = self._bucket(timeframe)
        length = timeframe_length(timeframe).total_seconds()
        own = timeframe_length(self.timeframe).total_seconds()
        ends = np.flatnonzero((bucket + 1) * length - self.time <= own)
        starts = np.searchsorted(bucket, bucket[ends])
        began = bucket[starts] * length
        whole = self.time[starts] == began
        return starts[whole], ends[whole]


def _reduce(
    function: np.ufunc, values: FloatArray, starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> FloatArray:
    """A ufunc over values[start:end] of each pair."""
    import numpy as np

    edges = np.stack([starts, ends], axis=1).ravel()
    padded = np.append(values, values[-1])
    reduced: FloatArray = function.reduceat(padded, edges)[::2]
    return reduced


def columns_of(candles: Sequence[Candle]) -> Candles:
    """Turn candles of one symbol into columns; the one place where prices become floats.

    Raises ValueError for no candles.
    """
    import numpy as np

    if not candles:
        raise ValueError("no candles")
    values: dict[str, Any] = {
        name: np.array([float(getattr(c, name)) for c in candles])
        for name in COLUMNS
        if name != "time"
    }
    times = np.array([c.time.timestamp() for c in candles])
    return Candles(candles[0].symbol, candles[0].timeframe, time=times, **values)
