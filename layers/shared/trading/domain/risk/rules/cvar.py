"""A cap on the expected shortfall, judged before the trade."""

from __future__ import annotations

from decimal import Decimal

from trading.domain.risk.rule import Cap, OrderContext


class ExpectedShortfall(Cap):
    """The mean loss beyond value at risk (CVaR), with the order: ``max_cvar_percent`` of equity.

    Measured by ``var_method`` at ``var_confidence`` over ``var_horizon_bars`` bars, on the last
    ``var_window`` bars.
    """

    name = "cvar"
    limits = ("max_cvar_percent",)
    what = "expected shortfall %"

    def measure(self, context: OrderContext) -> Decimal:
        """Expected shortfall in percent of equity."""
        return context.over_equity(context.tail_risk.expected_shortfall * 100)
