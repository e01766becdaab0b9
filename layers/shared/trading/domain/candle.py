"""Candles (open, high, low, close, volume over one bar) and prices."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from trading.domain.time import timeframe_length
from trading.domain.value import Value


class Candle(Value):
    """One bar of one symbol, labelled by the time at which it opens (UTC).

    Prices are in the quote currency, ``volume`` in units of the instrument.
    """

    symbol: str
    timeframe: str
    time: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal

    @property
    def close_time(self) -> datetime:
        """The moment at which the bar is complete and its close is known."""
        return self.time + timeframe_length(self.timeframe)


class Price(Value):
    """The latest known price of a symbol in its quote currency, and when it was true (UTC).

    ``previous`` is the price before it. Of a candle's close, ``volume`` is the candle's;
    ``timeframe`` is that of the newest candle, which later single prices leave standing.
    """

    symbol: str
    price: Decimal
    time: datetime
    source: str
    previous: Decimal | None = None
    volume: Decimal | None = None
    timeframe: str | None = None
