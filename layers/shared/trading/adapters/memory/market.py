"""The market of a backtest as use cases see it: what has been shown up to now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from trading.domain.candle import Candle, Price
from trading.domain.instrument import Instrument
from trading.quant.simulation.market import Market


class MemoryMarket:
    """Candles up to a step, shown symbol by symbol; the newest close is the price."""

    def __init__(self, market: Market, instruments: dict[str, Instrument]) -> None:
        self._market = market
        self._instruments = dict(sorted(instruments.items()))
        self._shown = dict.fromkeys(market.symbols, -1)
        self._prices: dict[str, Price] = {}
        self._matched: dict[str, datetime] = {}
        self._clock: datetime | None = None

    def show(self, symbol: str, bar: int) -> None:
        """Let a symbol's market be known up to a bar."""
        self._shown[symbol] = bar
        self._prices.pop(symbol, None)
        self._clock = None

    def clock(self) -> datetime | None:
        """When the newest bar closed; None before the first."""
        if self._clock is None:
            prices = self.latest_prices()
            self._clock = max((price.time for price in prices), default=None)
        return self._clock

    def get_instrument(self, symbol: str) -> Instrument | None:
        """An instrument, or None."""
        return self._instruments.get(symbol)

    def instruments(self) -> list[Instrument]:
        """All instruments by symbol."""
        return list(self._instruments.values())

    def latest_prices(self, symbols: Sequence[str] | None = None) -> list[Price]:
        """Latest prices of some or all symbols."""
        wanted = self._shown if symbols is None else symbols
        return [price for symbol in wanted if (price := self.price(symbol)) is not None]

    def price(self, symbol: str) -> Price | None:
        """A symbol's newest close; None before its first bar."""
        bar = self._shown.get(symbol, -1)
        if bar < 0:
            return None
        found = self._prices.get(symbol)
        if found is None:
            found = self._prices[symbol] = self._close(symbol, bar)
        return found

    def _close(self, symbol: str, bar: int) -> Price:
        candle = self._market.candle(symbol, bar)
        previous = self._market.candle(symbol, bar - 1).close if bar else None
        return Price.trusted(
            symbol=symbol,
            price=candle.close,
            time=candle.time + self._market.bar_length,
            source="candle",
            previous=previous,
            volume=candle.volume,
            timeframe=candle.timeframe,
        )

    def candles(
        self,
        symbol: str,
        timeframe: str,  # noqa: ARG002 - there is one only
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int | None = None,
        newest_first: bool = False,
    ) -> list[Candle]:
        """Candles by opening time, bounds inclusive, as far as they were shown."""
        import numpy as np

        times = self._market.candles[symbol].time
        known = self._shown[symbol] + 1
        first = int(np.searchsorted(times, start.timestamp())) if start else 0
        last = int(np.searchsorted(times, end.timestamp(), side="right")) if end else known
        bars = range(first, min(last, known))
        if newest_first:
            bars = bars[::-1]
        return [self._market.candle(symbol, bar) for bar in bars[:limit]]

    def matched_until(self, symbol: str) -> datetime | None:
        """Up to when the market of a symbol was shown to its resting orders."""
        return self._matched.get(symbol)

    def note_matched(self, symbol: str, until: datetime) -> None:
        """Move that moment forward."""
        self._matched[symbol] = until
