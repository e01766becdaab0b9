"""A cap on the orders of one day."""

from __future__ import annotations

from decimal import Decimal

from trading.domain.risk.rule import Cap, OrderContext


class DailyTrades(Cap):
    """At most ``max_daily_trades`` accepted orders per UTC day of the portfolio's clock.

    The cap counts every accepted order, also one that reduces risk or is cancelled later.
    """

    name = "daily_trades"
    limits = ("max_daily_trades",)
    what = "orders of the day"
    spares_reducing = False

    def measure(self, context: OrderContext) -> Decimal:
        """The day's count with this order."""
        return Decimal(context.trades_today + (not context.already_accepted))
