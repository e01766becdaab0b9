"""No trade on a stale or missing price."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from trading.domain.risk.rule import OrderContext, RuleResult

_MICROSECOND = timedelta(microseconds=1)


class StalePrice:
    """The instrument's price must exist and be younger than the instrument's limit (seconds)."""

    name = "stale_price"
    limits = ()

    def check(self, context: OrderContext) -> RuleResult:
        """Compare the age of the price on the portfolio's clock with the limit."""
        limit = Decimal(context.instrument.max_price_age_seconds)
        if context.mark is None:
            wording, facts = "{2} has no price yet", (context.order.symbol,)
            return RuleResult(self.name, False, None, limit, wording, facts)
        age = Decimal((context.now - context.mark.time) // _MICROSECOND).scaleb(-6)
        wording = "the price is {0} s old, {1} s are allowed"
        return RuleResult(self.name, age <= limit, age, limit, wording, ())
