"""A cap on what is lost from the highest equity."""

from __future__ import annotations

from decimal import Decimal

from trading.domain.risk.rule import Cap, OrderContext


class Drawdown(Cap):
    """Equity may be at most ``max_drawdown_percent`` below its peak, open positions included."""

    name = "drawdown"
    limits = ("max_drawdown_percent",)
    what = "drawdown %"

    def measure(self, context: OrderContext) -> Decimal:
        """The distance from the peak, in percent of it."""
        return context.marks_now.drawdown_percent(context.equity)
