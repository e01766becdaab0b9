"""A cap on the orders of one day."""

from decimal import Decimal

from trading.domain.risk.rule import OrderContext, RuleResult, at_most


class DailyTrades:
    """At most ``max_daily_trades`` accepted orders per UTC day of the portfolio's clock.

    The cap counts every accepted order, also one that reduces risk or is cancelled later.
    """

    name = "daily_trades"

    def check(self, context: OrderContext) -> RuleResult:
        """Judge the day's count with this order added."""
        limit = context.limits.max_daily_trades
        count = Decimal(context.trades_today + 1)
        return at_most(
            self.name, count, None if limit is None else Decimal(limit), "orders of the day"
        )
