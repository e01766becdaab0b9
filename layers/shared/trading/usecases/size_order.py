"""Sizes an order by a method."""

from __future__ import annotations

from decimal import Decimal

from trading.domain.errors import InvalidInput
from trading.domain.risk.sizing import METHODS, size
from trading.ports import Desk
from trading.quant.statistics.returns import PERIODS_PER_YEAR, average_true_range, volatility_of

ATR_PERIOD = 14
MEASURED_BARS = 100


def size_order(
    desk: Desk,
    portfolio_id: str,
    symbol: str,
    method: str,
    given: dict[str, Decimal],
    timeframe: str,
) -> tuple[Decimal, Decimal, dict[str, Decimal]]:
    """Size an order by a method: (quantity in whole lots, price, the inputs used).

    Volatility and ATR are measured from stored candles when not given. Raises NotFound,
    InvalidInput for a missing input, price or candles.
    """
    portfolio = desk.books.portfolio(portfolio_id)
    instrument = desk.market.get_instrument(symbol)
    price = next(iter(desk.market.latest_prices([symbol])), None)
    if instrument is None or price is None:
        raise InvalidInput("symbol", f"'{symbol}' has no instrument or no price yet")
    inputs = dict(given)
    for name in METHODS[method][0]:
        if name not in inputs and name in ("volatility", "atr"):
            inputs[name] = _measured(desk, symbol, timeframe, name)
    quantity = instrument.round_quantity(size(method, portfolio.equity, price.price, inputs))
    return quantity, price.price, inputs


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
