"""Candles from any exchange that ccxt knows and the venues layer keeps."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from trading import measures, tracing
from trading.domain.candle import Candle
from trading.domain.errors import InvalidInput, Unavailable
from trading.domain.instrument import Instrument

PAGE = 500
TIMEOUT_MILLISECONDS = 10_000


class CcxtCandles:
    """One exchange's public candles, with prices exactly as the exchange writes them.

    Raises InvalidInput for an exchange that is not there.
    """

    def __init__(self, venue: str, exchange: Any = None) -> None:
        self._venue = venue
        self._exchange = exchange if exchange is not None else _exchange(venue)

    def candles(self, instrument: Instrument, timeframe: str, since: datetime) -> list[Candle]:
        """One page of candles that open at or after ``since``, oldest first.

        Raises Unavailable if the exchange does not answer or answers nonsense.
        """
        import ccxt

        start = int(since.timestamp() * 1000)
        try:
            with _called(self._venue, "fetch_ohlcv"):
                rows = self._exchange.fetch_ohlcv(instrument.venue_symbol, timeframe, start, PAGE)
            return [_candle(instrument.symbol, timeframe, row) for row in rows]
        except ccxt.BaseError as error:
            raise Unavailable(f"the venue does not answer: {type(error).__name__}") from error
        except (InvalidOperation, LookupError, TypeError, ValueError) as error:
            raise Unavailable("the venue's candles cannot be read") from error


@contextmanager
def _called(venue: str, method: str) -> Iterator[None]:
    """Time a call to a venue, and show it in the trace."""
    start = time.perf_counter()
    try:
        with tracing.span(f"{venue} {method}", "client", venue=venue):
            yield
    finally:
        elapsed = round((time.perf_counter() - start) * 1000, 3)
        measures.measure("VenueLatency", "Milliseconds", elapsed, venue=venue)


def _exchange(venue: str) -> Any:
    """Make ccxt's client of an exchange, with numbers kept as text."""
    import ccxt

    if venue not in ccxt.exchanges:
        raise InvalidInput("venue", f"must be one of {', '.join(ccxt.exchanges)}")
    exchange = getattr(ccxt, venue)({"enableRateLimit": True, "timeout": TIMEOUT_MILLISECONDS})
    exchange.number = str
    return exchange


def _candle(symbol: str, timeframe: str, row: list[Any]) -> Candle:
    """Read one row: milliseconds, open, high, low, close, volume.

    Raises ValueError for one that no market can have made.
    """
    milliseconds, *values = row
    opened, high, low, close, volume = (Decimal(str(value)) for value in values)
    if not 0 < low <= min(opened, close) <= max(opened, close) <= high or volume < 0:
        raise ValueError(f"no bar can be {row}")
    return Candle(
        symbol=symbol,
        timeframe=timeframe,
        time=datetime.fromtimestamp(int(milliseconds) / 1000, UTC),
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=volume,
    )
