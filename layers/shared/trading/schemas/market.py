"""Wire models of the market service."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field, model_validator

from trading.domain.candle import Candle, Price
from trading.domain.instrument import Instrument
from trading.domain.time import TIMEFRAMES
from trading.schemas.amount import NonNegativeAmount, OutAmount, PositiveAmount
from trading.schemas.base import Symbol, UtcDatetime, Whole, Wire

MAX_CANDLES = 5000
CURRENCY = r"^[A-Z0-9]{2,12}$"
Timeframe = Annotated[str, Field(pattern=f"^({'|'.join(TIMEFRAMES)})$")]


class InstrumentIn(Wire):
    """How an instrument trades: the steps of price and quantity, and how old a price may be."""

    base_currency: str = Field(pattern=CURRENCY)
    quote_currency: str = Field(pattern=CURRENCY)
    tick_size: PositiveAmount
    lot_size: PositiveAmount
    min_notional: NonNegativeAmount = Decimal(0)
    max_price_age_seconds: Whole = Field(default=86_400, ge=1, le=31 * 86_400)
    venue: str | None = Field(default=None, pattern=r"^[a-z0-9_]{1,32}$")
    venue_symbol: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._:/-]{1,48}$")

    @model_validator(mode="after")
    def _venue_needs_symbol(self) -> InstrumentIn:
        if (self.venue is None) != (self.venue_symbol is None):
            raise ValueError("venue and venue_symbol go together")
        return self


class InstrumentOut(Wire):
    """An instrument as it is stored."""

    symbol: str
    base_currency: str
    quote_currency: str
    tick_size: OutAmount
    lot_size: OutAmount
    min_notional: OutAmount
    max_price_age_seconds: int
    venue: str | None
    venue_symbol: str | None

    @classmethod
    def of(cls, instrument: Instrument) -> InstrumentOut:
        """The wire form of an instrument."""
        return cls(**instrument.model_dump())


class CandleIn(Wire):
    """One bar, labelled by the time at which it opens."""

    time: UtcDatetime
    open: PositiveAmount
    high: PositiveAmount
    low: PositiveAmount
    close: PositiveAmount
    volume: NonNegativeAmount

    @model_validator(mode="after")
    def _bounds_hold(self) -> CandleIn:
        if self.high < self.low:
            raise ValueError("high must not be below low")
        if not self.low <= min(self.open, self.close):
            raise ValueError("low must not be above open or close")
        if not self.high >= max(self.open, self.close):
            raise ValueError("high must not be below open or close")
        return self


class CandlesIn(Wire):
    """Candles of one symbol and timeframe, in strictly rising order of time."""

    symbol: Symbol
    timeframe: Timeframe
    candles: list[CandleIn] = Field(min_length=1, max_length=MAX_CANDLES)

    @model_validator(mode="after")
    def _in_order(self) -> CandlesIn:
        for i in range(1, len(self.candles)):
            if self.candles[i].time <= self.candles[i - 1].time:
                raise ValueError(
                    f"candles[{i}].time must be later than the time of the candle before it"
                )
        return self


class CandlesResult(Wire):
    """How many candles were new, the same as stored, or replaced other values."""

    created: int
    unchanged: int
    replaced: int


class CandleOut(Wire):
    """One bar as it is stored; ``close_time`` is when it is complete."""

    time: UtcDatetime
    close_time: UtcDatetime
    open: OutAmount
    high: OutAmount
    low: OutAmount
    close: OutAmount
    volume: OutAmount

    @classmethod
    def of(cls, candle: Candle) -> CandleOut:
        """The wire form of a candle."""
        own = candle.model_dump(exclude={"symbol", "timeframe"})
        return cls(**own, close_time=candle.close_time)


class PriceIn(Wire):
    """A price in the quote currency, a whole number of ticks; ``time`` is now when left out."""

    symbol: Symbol
    price: PositiveAmount
    time: UtcDatetime | None = None


class PricesIn(Wire):
    """Prices of one or more symbols."""

    prices: list[PriceIn] = Field(min_length=1, max_length=500)


class PricesResult(Wire):
    """How many prices moved forward, and how many were not newer than what is stored."""

    accepted: int
    stale: int


class PriceOut(Wire):
    """The latest price of a symbol, when it was true, and the price before it."""

    symbol: str
    price: OutAmount
    time: UtcDatetime
    source: str
    previous: OutAmount | None

    @classmethod
    def of(cls, price: Price) -> PriceOut:
        """The wire form of a price."""
        return cls(**price.model_dump(include=set(cls.model_fields)))
