"""A cap on the exposure to one symbol, resting orders included."""

from __future__ import annotations

from decimal import Decimal

from trading.domain.risk.rule import Cap, OrderContext


class SymbolExposure(Cap):
    """Holding, this order and what rests together: at most ``max_symbol_exposure_percent``."""

    name = "symbol_exposure"
    limits = ("max_symbol_exposure_percent",)
    what = "symbol exposure %"

    def measure(self, context: OrderContext) -> Decimal:
        """Exposure in percent of equity as if every resting order of the worse side were filled."""
        return context.over_equity(context.own_exposure.gross * 100)
