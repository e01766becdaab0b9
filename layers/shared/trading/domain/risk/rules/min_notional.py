"""Orders below the venue's minimum value are refused."""

from trading.domain.money import plain
from trading.domain.risk.rule import OrderContext, RuleResult


class MinNotional:
    """The order's value must be at least the instrument's minimum notional (quote currency)."""

    name = "min_notional"

    def check(self, context: OrderContext) -> RuleResult:
        """Judge the order's notional at its limit price or the latest price."""
        minimum = context.instrument.min_notional
        return RuleResult(
            rule=self.name,
            passed=context.notional >= minimum,
            value=context.notional,
            limit=minimum,
            message=f"notional {plain(context.notional)} against a minimum of {plain(minimum)}",
        )
