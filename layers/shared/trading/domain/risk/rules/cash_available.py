"""No buying on credit."""

from trading.domain.money import ZERO, plain, with_commission
from trading.domain.order import Side
from trading.domain.risk.rule import OrderContext, RuleResult


class CashAvailable:
    """A buy order's cost with its commission may use at most the cash not promised elsewhere."""

    name = "cash_available"

    def check(self, context: OrderContext) -> RuleResult:
        """Judge a buy order's cost in its quote currency."""
        account, currency = context.portfolio.account, context.order.currency
        available = account.available(currency)
        if context.order.side is Side.SELL:
            return RuleResult(
                rule=self.name,
                passed=True,
                value=ZERO,
                limit=available,
                message="no cash needed",
            )
        cost = with_commission(context.notional, account.commission_rate)
        return RuleResult(
            rule=self.name,
            passed=cost <= available,
            value=cost,
            limit=available,
            message=f"needs {plain(cost)} {currency}, {plain(available)} {currency} are available",
        )
