"""A cap on one instrument's share of the portfolio."""

from decimal import Decimal

from trading.domain.money import MAX_SCALE, ZERO, ceil_to_step
from trading.domain.risk.rule import OrderContext, RuleResult, at_most, exempt


class Allocation:
    """The holding after the order may be at most ``max_allocation_percent`` of equity."""

    name = "allocation"

    def check(self, context: OrderContext) -> RuleResult:
        """Judge the value of the holding once the order is filled, in percent of equity."""
        percent = percent_of_equity(context, context.notional_after)
        judge = exempt if context.reduces_risk else at_most
        return judge(self.name, percent, context.limits.max_allocation_percent, "allocation %")


def percent_of_equity(context: OrderContext, value: Decimal) -> Decimal:
    """Express ``value`` in percent of equity, rounded up to ``MAX_SCALE`` decimals.

    At no equity all of it counts, as 100 times itself.
    """
    equity = context.portfolio.equity
    percent = value * 100 / equity if equity > ZERO else value * 100
    return ceil_to_step(percent, Decimal(1).scaleb(-MAX_SCALE))
