"""A cap on value at risk, judged before the trade."""

from __future__ import annotations

from decimal import Decimal

from trading.domain.risk.rule import Cap, OrderContext


class ValueAtRisk(Cap):
    """Value at risk with the order added may be at most ``max_var_percent`` of equity.

    Measured by ``var_method`` at ``var_confidence`` over ``var_horizon_bars`` bars, on the last
    ``var_window`` bars.
    """

    name = "var"
    limits = ("max_var_percent",)
    what = "value at risk %"

    def measure(self, context: OrderContext) -> Decimal:
        """Value at risk in percent of equity."""
        return context.over_equity(context.tail_risk.value_at_risk * 100)
