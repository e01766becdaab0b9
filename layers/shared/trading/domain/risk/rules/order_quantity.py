"""A cap on the units of one order."""

from __future__ import annotations

from decimal import Decimal

from trading.domain.risk.rule import Cap, OrderContext


class OrderQuantity(Cap):
    """The order's quantity may be at most ``max_order_quantity`` units."""

    name = "order_quantity"
    limits = ("max_order_quantity",)
    what = "order quantity"

    def measure(self, context: OrderContext) -> Decimal:
        """The units of the order."""
        return context.order.quantity
