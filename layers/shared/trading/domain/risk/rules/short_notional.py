"""A cap on what is sold without being held."""

from __future__ import annotations

from decimal import Decimal

from trading.domain.risk.rule import Cap, OrderContext


class ShortNotional(Cap):
    """All short holdings with the order and all that rests: at most ``max_short_notional``.

    In the base currency. Without margin nothing is sold short at all, see ``holding_available``.
    """

    name = "short_notional"
    limits = ("max_short_notional",)
    what = "short notional"

    def measure(self, context: OrderContext) -> Decimal:
        """What all short holdings can come to."""
        return context.exposure.short
