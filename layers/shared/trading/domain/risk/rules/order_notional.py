"""A cap on the value of one order."""

from __future__ import annotations

from decimal import Decimal

from trading.domain.risk.rule import Cap, OrderContext


class OrderNotional(Cap):
    """The order's value may be at most ``max_order_notional`` (base currency)."""

    name = "order_notional"
    limits = ("max_order_notional",)
    what = "order notional"

    def measure(self, context: OrderContext) -> Decimal:
        """The order at the price it is judged at."""
        return context.base_notional
