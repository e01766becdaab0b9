"""A cap on all exposure, long and short added up."""

from __future__ import annotations

from decimal import Decimal

from trading.domain.risk.rule import Cap, OrderContext


class GrossLeverage(Cap):
    """Gross exposure, all that rests included: at most ``max_gross_leverage`` times equity."""

    name = "gross_leverage"
    limits = ("max_gross_leverage",)
    what = "gross leverage"

    def measure(self, context: OrderContext) -> Decimal:
        """Gross exposure over equity."""
        return context.over_equity(context.exposure.gross)
