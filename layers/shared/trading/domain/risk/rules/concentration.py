"""A cap on how much of the portfolio hangs on few instruments."""

from __future__ import annotations

from decimal import Decimal

from trading.domain.risk.rule import Cap, OrderContext


class Concentration(Cap):
    """The Herfindahl index of the holdings may be at most ``max_concentration_percent``.

    It is the sum of the squared shares in equity, the order and all that rests included: 100 is
    everything in one instrument, 25 is four equal quarters; cash weighs nothing (Hirschman, The
    Paternity of an Index, 1964).
    """

    name = "concentration"
    limits = ("max_concentration_percent",)
    what = "concentration %"

    def measure(self, context: OrderContext) -> Decimal:
        """The index, in percent."""
        squares = context.exposure.squares
        if not squares:
            return squares
        return context.over_equity(context.over_equity(squares * 100))
