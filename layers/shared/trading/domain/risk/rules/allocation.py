"""A cap on one instrument's share of the portfolio."""

from __future__ import annotations

from decimal import Decimal

from trading.domain.risk.rule import Cap, OrderContext


class Allocation(Cap):
    """The holding after the order may be at most ``max_allocation_percent`` of equity."""

    name = "allocation"
    limits = ("max_allocation_percent",)
    what = "allocation %"

    def measure(self, context: OrderContext) -> Decimal:
        """Absolute value of the holding once the order is filled, in percent of equity."""
        return context.over_equity(abs(context.value_after) * context.rate * 100)
