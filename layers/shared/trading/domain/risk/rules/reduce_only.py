"""An order that says it only reduces must do so."""

from __future__ import annotations

from trading.domain.risk.rule import OrderContext, RuleResult


class ReduceOnly:
    """A reduce-only order may be at most as large as the holding on the other side that is free."""

    name = "reduce_only"
    limits = ()

    def __init__(self) -> None:
        self._free = RuleResult(self.name, True, None, None, "the order is not reduce-only")

    def check(self, context: OrderContext) -> RuleResult:
        """Judge the order's quantity against what it could reduce."""
        if not context.order.reduce_only:
            return self._free
        quantity, most = context.order.quantity, context.reducible
        wording = "reduces by {0}, at most {1} can be reduced"
        return RuleResult(self.name, context.reduces_risk, quantity, most, wording, ())
