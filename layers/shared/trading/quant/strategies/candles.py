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
_MONDAY = 4 * 86_400.0
"""The first Monday after the beginning of 1970, a Thursday; weeks are counted from it."""


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

    def read_only(self) -> Candles:
        """The same candles, not to be written into."""
        columns: dict[str, Any] = {}
        for name in COLUMNS:
            columns[name] = getattr(self, name).view()
            columns[name].flags.writeable = False
        others = {symbol: candles.read_only() for symbol, candles in self.others.items()}
        return Candles(self.symbol, self.timeframe, **columns, others=others)

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
        """Longer bars made of these; only those that are complete. Weeks begin on Monday, UTC.

        A longer bar is complete once a bar closes at its end or later, so that gaps leave none
        open. One that begins before the window is left out: what it lacks would show.
        Raises InvalidInput unless ``timeframe`` is a whole multiple of this window's.
        """
        import numpy as np

        opens, starts, _ = self._longer(timeframe)
        columns: dict[str, Any] = {"time": opens, **{n: np.empty(0) for n in COLUMNS[1:]}}
        if len(opens):
            # The last edge ends the last complete bar; what follows it is not looked at.
            ends = np.searchsorted(self.time, opens + timeframe_length(timeframe).total_seconds())
            edges = np.append(starts, ends[-1])
            edges = edges if ends[-1] < len(self) else edges[:-1]
            kept = slice(0, len(opens))
            columns |= {
                "open": self.open[starts],
                "high": np.maximum.reduceat(self.high, edges)[kept],
                "low": np.minimum.reduceat(self.low, edges)[kept],
                "close": self.close[ends - 1],
                "volume": np.add.reduceat(self.volume, edges)[kept],
            }
        return Candles(self.symbol, timeframe, **columns)

    def aligned(self, values: FloatArray, timeframe: str) -> FloatArray:
        """One value per longer bar as one per bar: the last that was complete by then.

        ``values`` has the length of ``resampled(timeframe)``; NaN before the first is complete.
        """
        import numpy as np

        *_, known = self._longer(timeframe)
        newest = np.searchsorted(known, np.arange(len(self)), side="right") - 1
        found: FloatArray = np.append(values, np.nan)[newest]
        return found

    def _longer(self, timeframe: str) -> tuple[FloatArray, NDArray[np.int64], NDArray[np.int64]]:
        """Each complete longer bar: when it opens, its first bar, the bar that completes it."""
        import numpy as np

        longer, own = timeframe_length(timeframe), timeframe_length(self.timeframe)
        if longer <= own or longer % own:
            raise InvalidInput("timeframe", f"{timeframe} is not made of whole {self.timeframe}")
        length = longer.total_seconds()
        offset = _MONDAY if timeframe == "1w" else 0.0
        opens = np.floor((self.time - offset) / length) * length + offset
        starts = np.flatnonzero(np.diff(opens, prepend=-np.inf))
        if len(starts) and self.time[0] != opens[0]:
            starts = starts[1:]
        opens = opens[starts]
        known = np.searchsorted(self.time + own.total_seconds(), opens + length)
        complete = known < len(self)
        return opens[complete], starts[complete], known[complete]


def joined(parts: Sequence[Candles]) -> Candles:
    """Candles of one symbol and timeframe that follow each other, as one.

    Raises ValueError for no parts.
    """
    import numpy as np

    if not parts:
        raise ValueError("no candles")
    columns: dict[str, Any] = {n: np.concatenate([getattr(p, n) for p in parts]) for n in COLUMNS}
    return Candles(parts[0].symbol, parts[0].timeframe, **columns)


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
