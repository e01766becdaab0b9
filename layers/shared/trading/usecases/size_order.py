"""Sizes an order by a method, and finds how much of it the limits allow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from trading.domain.books import Snapshot
from trading.domain.errors import InvalidInput
from trading.domain.money import MAX_NOTIONAL, ZERO
from trading.domain.order import OrderType, Side
from trading.domain.order_life import order_context
from trading.domain.order_request import OrderRequest, new_order
from trading.domain.risk.engine import judge
from trading.domain.risk.sizing import METHODS, size
from trading.ports import Desk
from trading.quant.statistics.returns import PERIODS_PER_YEAR, average_true_range, volatility_of

ATR_PERIOD = 14
MEASURED_BARS = 100


@dataclass(frozen=True)
class Sized:
    """A quantity in whole lots, what of it the limits allow, and what it was found from.

    ``price`` is in the quote currency, of which one unit is worth ``rate`` of the base currency.
    """

    quantity: Decimal
    allowed: Decimal
    price: Decimal
    rate: Decimal
    inputs: dict[str, Decimal]


def size_order(
    desk: Desk,
    portfolio_id: str,
    symbol: str,
    side: Side,
    method: str,
    given: dict[str, Decimal],
    timeframe: str,
) -> Sized:
    """Size an order by a method.

    Volatility and ATR are measured from stored candles when not given. Raises NotFound,
    MissingRate, InvalidInput for a missing input, price or candles.
    """
    request = OrderRequest(
        portfolio_id=portfolio_id,
        symbol=symbol,
        side=side,
        type=OrderType.MARKET,
        quantity=ZERO,
        limit_price=None,
        cause="size",
        correlation_id="",
    )
    if desk.market.get_instrument(symbol) is None:
        raise InvalidInput("symbol", f"'{symbol}' has no instrument or no price yet")
    portfolio = desk.books.portfolio(portfolio_id)
    snapshot = desk.books.snapshot(portfolio_id, symbol, request.order_id)
    instrument, mark = snapshot.instrument, snapshot.mark
    if mark is None:
        raise InvalidInput("symbol", f"'{symbol}' has no instrument or no price yet")
    inputs = dict(given)
    for name in METHODS[method][0]:
        if name not in inputs and name in ("volatility", "atr"):
            inputs[name] = _measured(desk, symbol, timeframe, name)
    rate = portfolio.rate(instrument.quote_currency)
    raw = size(method, portfolio.equity, mark.price, inputs, rate)
    quantity = instrument.round_quantity(raw)
    allowed = _allowed(replace(request, quantity=quantity), snapshot)
    return Sized(quantity, allowed, mark.price, rate, inputs)


def _allowed(request: OrderRequest, snapshot: Snapshot) -> Decimal:
    """The largest part of a quantity, in lots, that every rule lets pass; zero if none does.

    Searched by halving: what passes at some size passes at smaller ones too, down to the least
    that an order must be worth.
    """
    lot = snapshot.instrument.lot_size
    if _passes(request, snapshot):
        return request.quantity
    low, high = 0, int(request.quantity / lot)
    while high - low > 1:
        middle = (low + high) // 2
        if _passes(replace(request, quantity=middle * lot), snapshot) or _too_small(
            middle * lot, snapshot
        ):
            low = middle
        else:
            high = middle
    found = low * lot
    return found if _passes(replace(request, quantity=found), snapshot) else ZERO


def _passes(request: OrderRequest, snapshot: Snapshot) -> bool:
    mark = snapshot.mark
    if request.quantity <= ZERO or mark is None or request.quantity * mark.price >= MAX_NOTIONAL:
        return False
    return judge(order_context(new_order(request, snapshot), snapshot)).passed


def _too_small(quantity: Decimal, snapshot: Snapshot) -> bool:
    mark = snapshot.mark
    return mark is not None and quantity * mark.price < snapshot.instrument.min_notional


def _measured(desk: Desk, symbol: str, timeframe: str, name: str) -> Decimal:
    """Annual volatility or 14-bar ATR from the newest candles."""
    newest = desk.market.candles(symbol, timeframe, limit=MEASURED_BARS, newest_first=True)
    candles = list(reversed(newest))
    value = (
        average_true_range(candles, ATR_PERIOD)
        if name == "atr"
        else volatility_of([c.close for c in candles], PERIODS_PER_YEAR[timeframe])
    )
    if not value:
        raise InvalidInput(name, f"give it, or post more {timeframe} candles of {symbol}")
    return value
