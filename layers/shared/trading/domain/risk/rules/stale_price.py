"""No trade on a stale or missing price."""

from datetime import timedelta
from decimal import Decimal

from trading.domain.money import plain
from trading.domain.risk.rule import OrderContext, RuleResult


class StalePrice:
    """The instrument's price must exist and be younger than the instrument's limit (seconds)."""

    name = "stale_price"

    def check(self, context: OrderContext) -> RuleResult:
        """Compare the age of the price on the portfolio's clock with the limit."""
        limit = Decimal(context.instrument.max_price_age_seconds)
        if context.mark is None:
            return RuleResult(
                rule=self.name,
                passed=False,
                value=None,
                limit=limit,
                message=f"{context.order.symbol} has no price yet",
            )
        microseconds = (context.now - context.mark.time) // timedelta(microseconds=1)
        age = Decimal(microseconds).scaleb(-6)
        passed = age <= limit
        return RuleResult(
            rule=self.name,
            passed=passed,
            value=age,
            limit=limit,
            message=f"the price is {plain(age)} s old, {limit} s are allowed",
        )
