"""Takes in candles and prices, and moves the latest price and the market clock with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from trading.domain.candle import Candle, Price
from trading.domain.errors import InvalidInput
from trading.domain.instrument import Instrument

SKEW = timedelta(seconds=5)
"""How far a sender's clock may be ahead of ours."""


class MarketStore(Protocol):
    """Where market data is kept."""

    def get_instrument(self, symbol: str) -> Instrument | None:
        """An instrument, or None."""
        ...

    def record_candles(self, candles: Sequence[Candle]) -> dict[str, int]:
        """Write candles; returns counts of created, unchanged, replaced."""
        ...

    def record_price(self, price: Price) -> bool:
        """Move a price forward; False if it is not newer."""
        ...

    def advance_clock(self, moment: datetime) -> None:
        """Move the market clock forward."""
        ...


def record_candles(market: MarketStore, candles: Sequence[Candle], now: datetime) -> dict[str, int]:
    """Store candles of one symbol and timeframe; the newest one's close becomes the price.

    A bar that is still forming counts with its close so far, as of ``now``. Returns how many were
    created, unchanged and replaced. Raises InvalidInput, with nothing stored, for an unknown
    symbol or a bar that opens in the future.
    """
    newest = candles[-1]
    _known(market, newest.symbol, "symbol")
    for i, candle in enumerate(candles):
        if candle.time > now + SKEW:
            raise InvalidInput(f"candles.{i}.time", "lies in the future")
    counts = market.record_candles(candles)
    moment = min(newest.close_time, now)
    price = Price(
        symbol=newest.symbol,
        price=newest.close,
        time=moment,
        source="candle",
        volume=newest.volume if moment == newest.close_time else None,
        timeframe=newest.timeframe,
    )
    market.record_price(price)
    market.advance_clock(moment)
    return counts


def record_prices(market: MarketStore, prices: Sequence[Price], now: datetime) -> dict[str, int]:
    """Store prices that are newer than what is stored; returns counts of accepted and stale.

    Raises InvalidInput, with nothing stored, for an unknown symbol, a price off its tick or a
    time in the future.
    """
    for i, price in enumerate(prices):
        instrument = _known(market, price.symbol, f"prices.{i}.symbol")
        instrument.check_price(price.price, f"prices.{i}.price")
        if price.time > now + SKEW:
            raise InvalidInput(f"prices.{i}.time", "lies in the future")
    accepted = sum(market.record_price(price) for price in prices)
    market.advance_clock(max(price.time for price in prices))
    return {"accepted": accepted, "stale": len(prices) - accepted}


def _known(market: MarketStore, symbol: str, field: str) -> Instrument:
    """The instrument. Raises InvalidInput naming ``field`` if there is none."""
    instrument = market.get_instrument(symbol)
    if instrument is None:
        raise InvalidInput(
            field, f"there is no instrument '{symbol}'; PUT /market/instruments/{symbol} makes one"
        )
    return instrument
