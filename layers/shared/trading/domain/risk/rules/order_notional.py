"""A cap on the value of one order."""

from trading.domain.risk.rule import OrderContext, RuleResult, at_most, exempt


class OrderNotional:
    """The order's value may be at most ``max_order_notional`` (quote currency)."""

    name = "order_notional"

    def check(self, context: OrderContext) -> RuleResult:
        """Judge the notional; orders that only reduce risk pass."""
        judge = exempt if context.reduces_risk else at_most
        return judge(
            self.name, context.notional, context.limits.max_order_notional, "order notional"
        )
