"""Long only: nobody sells what is not held."""

from trading.domain.money import plain
from trading.domain.order import Side
from trading.domain.risk.rule import OrderContext, RuleResult


class HoldingAvailable:
    """A sell order may use at most the units held that no other resting order was promised."""

    name = "holding_available"

    def check(self, context: OrderContext) -> RuleResult:
        """Judge a sell order's quantity against the free holding."""
        held = context.portfolio.position(context.order.symbol, context.order.currency)
        free = held.quantity - held.reserved_quantity
        if context.order.side is Side.BUY:
            return RuleResult(
                rule=self.name,
                passed=True,
                value=None,
                limit=None,
                message="no holding needed",
            )
        quantity = context.order.quantity
        return RuleResult(
            rule=self.name,
            passed=quantity <= free,
            value=quantity,
            limit=free,
            message=f"sells {plain(quantity)} of {plain(free)} held and free",
        )
