"""A cap on buying on credit."""

from __future__ import annotations

from decimal import Decimal

from trading.domain.money import ZERO
from trading.domain.risk.rule import Cap, OrderContext


class BorrowedCash(Cap):
    """What all overdrawn currencies add up to may be at most ``max_borrowed_cash``.

    In the base currency, the order's cost and what is promised to resting orders included.
    Without margin nothing is borrowed at all, see ``cash_available``.
    """

    name = "borrowed_cash"
    limits = ("max_borrowed_cash",)
    what = "borrowed cash"

    def measure(self, context: OrderContext) -> Decimal:
        """The overdrafts with the order paid; a sale is counted before its proceeds come."""
        portfolio, own = context.portfolio, context.order.currency
        account, borrowed = portfolio.account, ZERO
        for currency in sorted({*account.cash, *account.reserved, own}):
            left = account.available(currency)
            if currency == own and context.buys:
                left -= context.cost
            if left < ZERO:
                borrowed -= left * portfolio.rate(currency)
        return borrowed
