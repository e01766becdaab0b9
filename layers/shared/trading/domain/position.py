"""A holding of one instrument: quantity, cost, and what was realized from it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from trading.domain.money import ZERO, average, plain
from trading.domain.value import Value


class RecentOrder(Value):
    """An order that was accepted lately: what it asked for, and when."""

    fingerprint: str
    time: datetime


class Position(Value):
    """What a portfolio holds of one symbol, at average cost, in the quote currency.

    ``cost_basis`` is what the present quantity cost without fees; ``realized_pnl`` excludes fees,
    which stand in ``fees``. ``reserved_quantity`` is promised to resting sell orders,
    ``reserved_notional`` is what resting buy orders of the symbol would cost. ``recent_orders``
    are those that a duplicate is compared with, ``stopped_at`` is when a stop last closed it, and
    ``bar_used`` the volume traded in the bar that was complete at ``bar_time``.
    """

    symbol: str
    currency: str
    quantity: Decimal = ZERO
    cost_basis: Decimal = ZERO
    realized_pnl: Decimal = ZERO
    fees: Decimal = ZERO
    reserved_quantity: Decimal = ZERO
    reserved_notional: Decimal = ZERO
    recent_orders: tuple[RecentOrder, ...] | None = None
    stopped_at: datetime | None = None
    bar_time: datetime | None = None
    bar_used: Decimal | None = None

    @property
    def average_cost(self) -> Decimal:
        """Cost per unit of the present quantity; zero when flat."""
        return average(self.cost_basis, self.quantity)

    def bought(self, quantity: Decimal, cost: Decimal, fee: Decimal) -> Position:
        """Return the position after buying ``quantity`` for ``cost`` plus ``fee``."""
        return self.model_copy(
            update={
                "quantity": self.quantity + quantity,
                "cost_basis": self.cost_basis + cost,
                "fees": self.fees + fee,
            }
        )

    def sold(self, quantity: Decimal, proceeds: Decimal, fee: Decimal) -> Position:
        """Return the position after selling ``quantity`` for ``proceeds`` before ``fee``.

        The cost leaves in proportion to the quantity (average cost). Raises ValueError when more
        is sold than is held: positions here are long or flat.
        """
        if quantity > self.quantity:
            raise ValueError(f"cannot sell {plain(quantity)} of {plain(self.quantity)} held")
        sold_all = quantity == self.quantity
        cost = self.cost_basis if sold_all else average(self.cost_basis * quantity, self.quantity)
        return self.model_copy(
            update={
                "quantity": self.quantity - quantity,
                "cost_basis": self.cost_basis - cost,
                "realized_pnl": self.realized_pnl + proceeds - cost,
                "fees": self.fees + fee,
            }
        )

    def market_value(self, price: Decimal) -> Decimal:
        """Value of the holding at ``price``."""
        return self.quantity * price

    def unrealized_pnl(self, price: Decimal) -> Decimal:
        """Gain of the present quantity over its cost at ``price``."""
        return self.market_value(price) - self.cost_basis
