"""A cap on what is lost in one day."""

from __future__ import annotations

from decimal import Decimal

from trading.domain.risk.rule import Cap, OrderContext, RuleResult


class DailyLoss(Cap):
    """The day's loss may be at most ``max_daily_loss`` or ``max_daily_loss_percent``.

    The day is the UTC day of the portfolio's clock. The loss is what equity, open positions
    included, is below the day's first equity; the percentage is of the latter. Of two limits the
    smaller holds, in the base currency.
    """

    name = "daily_loss"
    limits = ("max_daily_loss", "max_daily_loss_percent")
    what = "loss of the day"

    def check(self, context: OrderContext) -> RuleResult:
        """Compare the loss with the smaller of the two limits, in the base currency."""
        amount, percent = context.limits.max_daily_loss, context.limits.max_daily_loss_percent
        if percent is not None:
            share = context.marks_now.day_open * percent / 100
            amount = share if amount is None else min(share, amount)
        return self._free if amount is None else self.compare(context, amount)

    def measure(self, context: OrderContext) -> Decimal:
        """What is gone of the day's opening equity, in the base currency."""
        return context.marks_now.daily_loss(context.equity)
