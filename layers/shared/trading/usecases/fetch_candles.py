"""Fetches what is missing of the watch-listed instruments' candles from their venues."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from trading.domain.candle import Candle
from trading.domain.errors import TradingError
from trading.domain.instrument import Instrument
from trading.domain.time import timeframe_length
from trading.ports import CandleHistory
from trading.usecases.record_market import MarketStore, record_candles

FIRST_BARS = 500
"""How many bars are fetched of an instrument that has none yet."""


class CandleSource(Protocol):
    """A venue that sells nothing but its history."""

    def candles(self, instrument: Instrument, timeframe: str, since: datetime) -> list[Candle]:
        """Candles that open at or after ``since``, oldest first. Raises TradingError."""
        ...


class FetchStore(MarketStore, CandleHistory, Protocol):
    """A market store that also tells what it has."""


def fetch_candles(
    market: FetchStore,
    source: Callable[[str], CandleSource],
    symbols: Sequence[str],
    timeframe: str,
    now: datetime,
) -> dict[str, object]:
    """Store the closed candles that came since the last stored one, symbol by symbol.

    ``source`` gives the source of a venue by name. One symbol's failure is answered under
    ``errors`` and does not stop the others; symbols without a venue are counted as ``skipped``.
    """
    counts = {"created": 0, "unchanged": 0, "replaced": 0, "skipped": 0}
    errors: dict[str, str] = {}
    for symbol in symbols:
        instrument = market.get_instrument(symbol)
        if instrument is None or instrument.venue is None:
            counts["skipped"] += 1
            continue
        try:
            stored = _fetch_one(market, source(instrument.venue), instrument, timeframe, now)
        except TradingError as error:
            errors[symbol] = error.detail
            continue
        for name, count in stored.items():
            counts[name] += count
    return {**counts, "errors": errors}


def _fetch_one(
    market: FetchStore,
    source: CandleSource,
    instrument: Instrument,
    timeframe: str,
    now: datetime,
) -> dict[str, int]:
    """Fetch and store one instrument's closed candles."""
    newest = market.candles(instrument.symbol, timeframe, limit=1, newest_first=True)
    since = newest[0].time if newest else now - FIRST_BARS * timeframe_length(timeframe)
    fetched = source.candles(instrument, timeframe, since)
    closed = [candle for candle in fetched if candle.close_time <= now]
    return record_candles(market, closed, now) if closed else {}
