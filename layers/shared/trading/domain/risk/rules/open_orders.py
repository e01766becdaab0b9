"""A cap on the orders that wait."""

from __future__ import annotations

from decimal import Decimal

from trading.domain.order import OrderType, TimeInForce
from trading.domain.risk.rule import Cap, OrderContext

AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK)


class OpenOrders(Cap):
    """At most ``max_open_orders`` orders may rest at once, this one included if it can."""

    name = "open_orders"
    limits = ("max_open_orders",)
    what = "open orders"

    def measure(self, context: OrderContext) -> Decimal:
        """The count with this order, unless it trades at once or not at all."""
        order = context.order
        # A market order waits for the volume of later bars where the portfolio limits its share.
        shared = context.portfolio.account.fill_model.participation_rate is not None
        waits = order.time_in_force not in AT_ONCE and (
            shared or order.type is not OrderType.MARKET
        )
        added = waits and not context.already_accepted
        return Decimal(context.portfolio.account.open_orders + added)
