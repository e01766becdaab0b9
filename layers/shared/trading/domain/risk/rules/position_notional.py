"""A cap on the value held of one instrument."""

from __future__ import annotations

from decimal import Decimal

from trading.domain.risk.rule import Cap, OrderContext


class PositionNotional(Cap):
    """Holding, this order and all that rests: at most ``max_position_notional`` (base currency)."""

    name = "position_notional"
    limits = ("max_position_notional",)
    what = "position notional"

    def measure(self, context: OrderContext) -> Decimal:
        """The larger side that the holding can come to, long or short."""
        return context.own_exposure.gross
