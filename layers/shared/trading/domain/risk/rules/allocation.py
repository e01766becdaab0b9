"""A cap on one instrument's share of the portfolio."""

from decimal import Decimal

from trading.domain.money import ZERO, average, rounded
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
    """Express ``value`` in percent of equity; all of it counts as 100 times itself at no equity."""
    equity = context.portfolio.equity
    return rounded(average(value * 100, equity) if equity > ZERO else value * 100)
