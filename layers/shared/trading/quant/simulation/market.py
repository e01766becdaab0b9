"""The market of a backtest: every symbol's candles as columns, on one common axis of time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from trading.domain.candle import Candle
from trading.domain.errors import InvalidInput
from trading.domain.time import timeframe_length
from trading.quant.simulation.fills import SCALE
from trading.quant.strategies.strategy import COLUMNS, Candles, columns_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trading.quant.strategies.strategy import FloatArray

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400.0
_LARGEST = 9e7
"""Prices from here on are not exact to eight decimals as a float of 53 bits."""


@dataclass(frozen=True, eq=False)
class Market:
    """Candles by symbol, all of one timeframe; the amounts are exact to eight decimals.

    ``times`` are the opening times at which any symbol has a bar, in seconds since 1970;
    ``index[symbol]`` says for each of them which of the symbol's bars it is, or -1.
    """

    timeframe: str
    candles: Mapping[str, Candles]

    @classmethod
    def of(cls, candles: Sequence[Candles]) -> Market:
        """A market of checked columns. Raises InvalidInput naming symbol, bar and value."""
        if not candles:
            raise InvalidInput("candles", "there are none")
        frames = {c.timeframe for c in candles}
        if len(frames) > 1:
            raise InvalidInput("candles", f"are of several timeframes: {', '.join(sorted(frames))}")
        symbols = [c.symbol for c in candles]
        for symbol in symbols:
            if symbols.count(symbol) > 1:
                raise InvalidInput("candles", f"'{symbol}' is given more than once")
        for one in candles:
            check(one)
        ordered = sorted(candles, key=lambda c: c.symbol)
        return cls(frames.pop(), {c.symbol: _in_rows(c) for c in ordered})

    @classmethod
    def from_candles(cls, candles: Mapping[str, Sequence[Candle]]) -> Market:
        """A market of exact candles by symbol. Raises InvalidInput as ``of``."""
        for symbol, listed in candles.items():
            if not listed:
                raise InvalidInput(f"candles.{symbol}", "there are none")
        return cls.of([columns_of(listed) for listed in candles.values()])

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols, sorted."""
        return tuple(self.candles)

    @cached_property
    def times(self) -> FloatArray:
        """The opening times at which any symbol has a bar, in seconds since 1970, rising."""
        import numpy as np

        if len(self.candles) == 1:
            return self.candles[self.symbols[0]].time
        joined: FloatArray = np.unique(np.concatenate([c.time for c in self.candles.values()]))
        return joined

    @cached_property
    def index(self) -> Mapping[str, NDArray[np.int64]]:
        """For each symbol: which of its bars opens at each time, or -1."""
        import numpy as np

        if len(self.candles) == 1:
            return {self.symbols[0]: np.arange(len(self.times))}
        found = {}
        for symbol, candles in self.candles.items():
            places = np.full(len(self.times), -1, np.int64)
            places[np.searchsorted(self.times, candles.time)] = np.arange(len(candles))
            found[symbol] = places
        return found

    @cached_property
    def period_ends(self) -> NDArray[np.int64]:
        """The last step of each UTC day that has a bar; every step for bars of a day or longer."""
        import numpy as np

        if self.bar_length.total_seconds() >= _DAY:
            return np.arange(len(self.times))
        # Whole days since 1970; times before that do not occur in markets.
        days = (self.times / _DAY).astype(np.int32)
        return np.append(np.flatnonzero(days[1:] != days[:-1]), len(days) - 1)

    @property
    def bar_length(self) -> timedelta:
        """How long a bar is."""
        return timeframe_length(self.timeframe)

    @cached_property
    def data_hash(self) -> str:
        """SHA-256 of everything that was given: symbols, timeframe and every amount."""
        digest = hashlib.sha256(self.timeframe.encode())
        for symbol, candles in self.candles.items():
            digest.update(f"|{symbol}:{len(candles)}|".encode())
            for name in COLUMNS:
                digest.update(getattr(candles, name).tobytes())
        return digest.hexdigest()

    def candle(self, symbol: str, bar: int) -> Candle:
        """One bar in exact terms."""
        columns = self.candles[symbol]
        amounts = {name: _exact(getattr(columns, name)[bar]) for name in COLUMNS if name != "time"}
        opened = _EPOCH + timedelta(microseconds=round(float(columns.time[bar]) * 1e6))
        return Candle.trusted(symbol=symbol, timeframe=self.timeframe, time=opened, **amounts)

    def between(self, start: datetime | None, end: datetime | None) -> Market:
        """The bars that open at or after ``start`` and before ``end``.

        Raises InvalidInput if nothing is left of a symbol.
        """
        import numpy as np

        if start is None and end is None:
            return self
        low = -np.inf if start is None else start.timestamp()
        high = np.inf if end is None else end.timestamp()
        parts = []
        for symbol, candles in self.candles.items():
            first, last = np.searchsorted(candles.time, [low, high])
            if first >= last:
                raise InvalidInput("start", f"'{symbol}' has no candles from start to end")
            parts.append(candles.part(int(first), int(last)))
        return Market.of(parts)


def _in_rows(candles: Candles) -> Candles:
    """The candles with every column's numbers one after the other, as compiled code reads them."""
    import numpy as np

    columns: dict[str, Any] = {
        name: np.ascontiguousarray(getattr(candles, name), np.float64) for name in COLUMNS
    }
    return replace(candles, **columns)


def check(candles: Candles) -> None:
    """Raise InvalidInput naming symbol, bar and value unless a backtest can run on these columns.

    Times rise strictly; amounts are finite, prices above zero and low enough to be exact; the high
    is the highest and the low the lowest; volume is not negative, and zero is fine.
    """
    import numpy as np

    where = f"candles.{candles.symbol}"
    timeframe_length(candles.timeframe)
    if not len(candles):
        raise InvalidInput(where, "there are none")
    for name in COLUMNS:
        column = getattr(candles, name)
        if len(column) != len(candles):
            raise InvalidInput(where, f"{name} has {len(column)} bars, close {len(candles)}")
    if _fine(candles):
        return
    for name in COLUMNS:
        column = getattr(candles, name)
        _refuse(~np.isfinite(column), candles, name, "is not a finite number")
    steps = np.diff(candles.time, prepend=-np.inf)
    _refuse(steps == 0, candles, "time", "is there twice")
    _refuse(steps < 0, candles, "time", "is earlier than the bar before: sort them by time")
    for name in ("open", "high", "low", "close"):
        column = getattr(candles, name)
        _refuse(column <= 0, candles, name, "must be above zero")
        _refuse(column >= _LARGEST, candles, name, f"must be below {_LARGEST:,.0f}")
    _refuse(candles.volume < 0, candles, "volume", "must not be negative")
    body_high = np.maximum(candles.open, candles.close)
    body_low = np.minimum(candles.open, candles.close)
    _refuse(candles.high < body_high, candles, "high", "is below the bar's open or close")
    _refuse(candles.low > body_low, candles, "low", "is above the bar's open or close")


def _fine(candles: Candles) -> bool:
    """Whether nothing at all is wrong, in as few passes as tell that."""
    # NaN is told by comparisons, which it fails, and by extremes, which it becomes.
    return bool(
        candles.low.min() > 0
        and candles.high.max() < _LARGEST
        and 0 <= candles.volume.min() <= candles.volume.max() < float("inf")
        and -float("inf") < candles.time[0]
        and candles.time[-1] < float("inf")
        and (candles.time[1:] > candles.time[:-1]).all()
        and (candles.high >= candles.open).all()
        and (candles.high >= candles.close).all()
        and (candles.low <= candles.open).all()
        and (candles.low <= candles.close).all()
    )


def _refuse(wrong: NDArray[np.bool_], candles: Candles, name: str, why: str) -> None:
    """Raise InvalidInput naming the first bar that is wrong."""
    if not wrong.any():
        return
    bar = int(wrong.argmax())
    value = float(getattr(candles, name)[bar])
    raise InvalidInput(
        f"candles.{candles.symbol}.{bar}.{name}",
        f"{candles.symbol}, bar {bar}: {name} {value:.10g} {why}",
    )


def _exact(value: float) -> Decimal:
    """A float as the amount of at most eight decimals that it stands for."""
    return Decimal(round(float(value) * SCALE)).scaleb(-8)
