"""A cap on the exposure to the market as a whole, long less short."""

from __future__ import annotations

from decimal import Decimal

from trading.domain.risk.rule import Cap, OrderContext


class NetLeverage(Cap):
    """Net exposure with the order and all that rests: at most ``max_net_leverage`` times equity."""

    name = "net_leverage"
    limits = ("max_net_leverage",)
    what = "net leverage"

    def measure(self, context: OrderContext) -> Decimal:
        """Absolute net exposure over equity."""
        return context.over_equity(context.exposure.net)
