"""Instruments, candles and prices over HTTPS."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import Path, Query, Response

from trading.api.app import new_router
from trading.api.listing import DEFAULT_LIMIT, Cursor, Limit, LimitOrAll, page_of, page_of_whole
from trading.api.security import requires
from trading.desk import desk
from trading.domain.candle import Candle, Price
from trading.domain.errors import Conflict, InvalidInput, NotFound
from trading.domain.identifiers import SYMBOL_PATTERN
from trading.domain.instrument import Instrument
from trading.domain.time import from_text, to_text
from trading.schemas.base import Page, Symbol, UtcDatetime
from trading.schemas.market import (
    CandleOut,
    CandlesIn,
    CandlesResult,
    InstrumentIn,
    InstrumentOut,
    PriceOut,
    PricesIn,
    PricesResult,
    Timeframe,
)
from trading.usecases.record_market import record_candles, record_prices

router = new_router()
read = requires("market:read")
write = requires("market:write")


_ONE = SYMBOL_PATTERN.strip("^$")
_SYMBOLS = f"^({_ONE}(,{_ONE})*)?$"


@router.put(
    "/market/instruments/{symbol}",
    response_model=InstrumentOut,
    dependencies=[write],
    responses={201: {"model": InstrumentOut, "description": "Registered."}},
)
def put_instrument(
    symbol: Annotated[Symbol, Path(description="Such as AAPL or BTC-USDT.")],
    body: InstrumentIn,
    response: Response,
) -> InstrumentOut:
    """Register an instrument, or replace how it trades.

    Its currencies are facts that books were kept in: asking for others is a 409.
    """
    instrument = Instrument(symbol=symbol, **body.model_dump())
    known = desk().market.get_instrument(symbol)
    for name in ("base_currency", "quote_currency"):
        if known and getattr(known, name) != getattr(instrument, name):
            raise Conflict(f"{name} of '{symbol}' is {getattr(known, name)} and cannot change")
    if desk().market.put_instrument(instrument):
        response.status_code = 201
    return InstrumentOut.of(instrument)


@router.get("/market/instruments", response_model=Page[InstrumentOut], dependencies=[read])
def get_instruments(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Page[InstrumentOut]:
    """List instruments by falling symbol."""
    found, following = page_of(desk().market.newest_instruments, limit, cursor)
    return Page(items=[InstrumentOut.of(i) for i in found], cursor=following)


@router.post("/market/candles", response_model=CandlesResult, dependencies=[write])
def post_candles(body: CandlesIn) -> CandlesResult:
    """Store candles; posting the same ones again changes nothing.

    The newest one's close becomes the symbol's price, if no newer price is known.
    """
    candles = [
        Candle(symbol=body.symbol, timeframe=body.timeframe, **candle.model_dump())
        for candle in body.candles
    ]
    return CandlesResult(**record_candles(desk().market, candles, desk().wall_clock()))


@router.get("/market/candles", response_model=Page[CandleOut], dependencies=[read])
def get_candles(
    symbol: Annotated[Symbol, Query()],
    timeframe: Annotated[Timeframe, Query()],
    start: Annotated[UtcDatetime | None, Query(description="Opening at or after.")] = None,
    end: Annotated[UtcDatetime | None, Query(description="Opening at or before.")] = None,
    order: Annotated[Literal["desc", "asc"], Query(description="By opening time.")] = "desc",
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    cursor: Cursor = None,
) -> Page[CandleOut]:
    """List a symbol's candles, newest first unless asked otherwise.

    A cursor goes on in the order of the page that gave it.
    """
    if desk().market.get_instrument(symbol) is None:
        raise NotFound("instrument", symbol)

    def read_on(count: int, place: str | None) -> list[tuple[str, Candle]]:
        descending = order == "desc"
        begin, before = (start, place) if descending else (_after(place) or start, None)
        found = desk().market.candles(
            symbol, timeframe, begin, end, count, newest_first=descending, before=before
        )
        return [(to_text(candle.time), candle) for candle in found]

    candles, following = page_of(read_on, limit, cursor)
    return Page(items=[CandleOut.of(candle) for candle in candles], cursor=following)


@router.post("/market/prices", response_model=PricesResult, dependencies=[write])
def post_prices(body: PricesIn) -> PricesResult:
    """Store prices; one that is not newer than what is known changes nothing."""
    now = desk().wall_clock()
    prices = [
        Price(symbol=p.symbol, price=p.price, time=p.time or now, source="posted")
        for p in body.prices
    ]
    return PricesResult(**record_prices(desk().market, prices, now))


@router.get("/market/prices", response_model=Page[PriceOut], dependencies=[read])
def get_prices(
    symbols: Annotated[
        str | None,
        Query(max_length=2000, pattern=_SYMBOLS, description="Only these, separated by commas."),
    ] = None,
    limit: LimitOrAll = None,
    cursor: Cursor = None,
) -> Page[PriceOut]:
    """List the latest prices by symbol, each with its time."""
    wanted = [s for s in symbols.split(",") if s] if symbols is not None else None
    prices = desk().market.latest_prices(wanted)
    found, following = page_of_whole(prices, lambda p: p.symbol, limit, cursor)
    return Page(items=[PriceOut.of(price) for price in found], cursor=following)


def _after(place: str | None) -> datetime | None:
    """The moment just after the one that a cursor holds. Raises InvalidInput for another text."""
    try:
        return from_text(place) + timedelta(microseconds=1) if place else None
    except ValueError as error:
        raise InvalidInput("cursor", "must be a cursor from an earlier answer") from error
