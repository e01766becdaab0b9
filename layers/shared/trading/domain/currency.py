"""Exchange rates, read from the prices of the symbols that quote one currency in another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from trading.domain.candle import Price
from trading.domain.money import ONE, average
from trading.domain.value import Value


class Rate(Value):
    """``rate`` units of one currency per unit of another, as ``symbol`` said at ``time``."""

    rate: Decimal
    symbol: str
    time: datetime


def rate_symbols(currency: str, base: str) -> dict[str, bool]:
    """The symbols that may quote ``currency`` in ``base``; True for those that do it inversely."""
    return {
        f"{currency}-{base}": False,
        f"{currency}{base}": False,
        f"{base}-{currency}": True,
        f"{base}{currency}": True,
    }


def rate_between(prices: Mapping[str, Price], currency: str, base: str) -> Rate | None:
    """The newest rate that the prices know, in units of ``base`` per unit of ``currency``."""
    found = [
        Rate(
            rate=average(ONE, prices[symbol].price) if inverse else prices[symbol].price,
            symbol=symbol,
            time=prices[symbol].time,
        )
        for symbol, inverse in rate_symbols(currency, base).items()
        if symbol in prices
    ]
    usable = [rate for rate in found if rate.rate]
    return max(usable, key=lambda rate: rate.time, default=None)


def rates_to(
    prices: Mapping[str, Price], currencies: Iterable[str], base: str
) -> dict[str, Decimal]:
    """The rates to ``base`` of those currencies that have one."""
    known = {currency: rate_between(prices, currency, base) for currency in currencies}
    return {currency: rate.rate for currency, rate in known.items() if rate}
