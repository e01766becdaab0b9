"""A cap on the units of one order."""

from trading.domain.risk.rule import OrderContext, RuleResult, at_most, exempt


class OrderQuantity:
    """The order's quantity may be at most ``max_order_quantity`` units."""

    name = "order_quantity"

    def check(self, context: OrderContext) -> RuleResult:
        """Judge the quantity; orders that only reduce risk pass."""
        judge = exempt if context.reduces_risk else at_most
        limit = context.limits.max_order_quantity
        return judge(self.name, context.order.quantity, limit, "order quantity")
