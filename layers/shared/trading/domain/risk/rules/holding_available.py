"""Long only without margin: nobody sells what is not held."""

from __future__ import annotations

from trading.domain.risk.rule import OrderContext, RuleResult


class HoldingAvailable:
    """A sell order may use at most the units held that no other resting order was promised.

    With margin more may be sold; ``short_notional`` and the leverage rules then say how much.
    """

    name = "holding_available"
    limits = ()

    def check(self, context: OrderContext) -> RuleResult:
        """Judge a sell order's quantity against the free holding."""
        if context.buys:
            return RuleResult(self.name, True, None, None, "no holding needed")
        held, quantity = context.held, context.order.quantity
        free = held.quantity - held.reserved_quantity
        if context.portfolio.account.margin:
            wording = "sells {0} of {1} held and free, and the rest may be sold short"
            return RuleResult(self.name, True, quantity, free, wording, ())
        wording = "sells {0} of {1} held and free"
        return RuleResult(self.name, quantity <= free, quantity, free, wording, ())
