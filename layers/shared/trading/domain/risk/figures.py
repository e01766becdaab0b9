"""What a portfolio would be exposed to once an order and all that rests are filled."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from trading.domain.money import ZERO
from trading.domain.portfolio import Portfolio
from trading.domain.position import Position


@dataclass(slots=True)
class Exposure:
    """Sums over holdings in the base currency, each at the worst that resting orders can make it.

    ``upper`` is what all are worth once every resting buy is filled, ``lower`` once every resting
    sell is. ``gross`` adds up each one's larger side, ``short`` each one's short side, and
    ``squares`` the squares of the former.
    """

    upper: Decimal = ZERO
    lower: Decimal = ZERO
    gross: Decimal = ZERO
    short: Decimal = ZERO
    squares: Decimal = ZERO

    def add(self, value: Decimal, buys: Decimal, sells: Decimal) -> None:
        """Add one holding with the value of its resting buys and sells."""
        upper, lower = value + buys, value - sells
        larger = max(upper, -lower)
        self.upper += upper
        self.lower += lower
        self.gross += larger
        self.squares += larger * larger
        if lower < ZERO:
            self.short -= lower

    @property
    def net(self) -> Decimal:
        """The larger side of all holdings together."""
        return max(self.upper, -self.lower)


def unit_value(portfolio: Portfolio, position: Position) -> Decimal:
    """The price of one unit in its own currency; its average cost while it has no price."""
    price = portfolio.prices.get(position.symbol)
    return price.price if price else position.average_cost


def exposure_but(portfolio: Portfolio, symbol: str) -> Exposure:
    """The exposure of all holdings but that of ``symbol``. Raises MissingRate."""
    found = Exposure()
    for position in portfolio.positions.values():
        if position.symbol == symbol:
            continue
        units, resting = position.quantity, position.reserved_quantity
        if not (units or resting or position.reserved_notional):
            continue
        rate = portfolio.rate(position.currency)
        price = unit_value(portfolio, position) * rate
        found.add(units * price, position.reserved_notional * rate, resting * price)
    return found
