"""No buying on credit without margin."""

from __future__ import annotations

from trading.domain.money import ZERO
from trading.domain.risk.rule import OrderContext, RuleResult


class CashAvailable:
    """A buy order's cost with its commission may use at most the cash not promised elsewhere.

    With margin more may be bought; ``borrowed_cash`` and the leverage rules then say how much.
    """

    name = "cash_available"
    limits = ()

    def check(self, context: OrderContext) -> RuleResult:
        """Judge a buy order's cost in its quote currency."""
        account, currency = context.portfolio.account, context.order.currency
        available = account.available(currency)
        if not context.buys:
            return RuleResult(self.name, True, ZERO, available, "no cash needed")
        cost, facts = context.cost, (currency,)
        if account.margin:
            wording = "needs {0} {2}, {1} {2} are available, and the rest may be borrowed"
            return RuleResult(self.name, True, cost, available, wording, facts)
        wording = "needs {0} {2}, {1} {2} are available"
        return RuleResult(self.name, cost <= available, cost, available, wording, facts)
