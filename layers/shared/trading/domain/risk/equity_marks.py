"""The equity that losses are measured from: the peak, and the day's opening."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from pydantic import Field

from trading.domain.money import ZERO, average, storable
from trading.domain.portfolio import Portfolio
from trading.domain.value import Value


class EquityMarks(Value):
    """The highest equity seen, and the first one of ``day``, in the base currency.

    ``capital`` is what the owner had put in by then, by currency: money put in or taken out is
    neither a gain nor a loss. ``version`` counts the changes.
    """

    peak: Decimal
    day: date
    day_open: Decimal
    capital: Mapping[str, Decimal] = Field(default_factory=dict)
    version: int = 0

    def seen(self, equity: Decimal, day: date) -> EquityMarks:
        """The marks after an observation of equity; the same object if nothing changed.

        An observation from before ``day`` (a clock that went back) leaves the day as it is.
        """
        if equity <= self.peak and day <= self.day:
            return self
        opened = {"day": day, "day_open": equity} if day > self.day else {}
        update = {"peak": max(self.peak, equity), "version": self.version + 1}
        return self.model_copy(update=opened | update)

    def moved_by(
        self, flow: Decimal, equity: Decimal, capital: Mapping[str, Decimal]
    ) -> EquityMarks:
        """The marks after ``flow`` (base currency) was put in, or taken out where negative.

        ``equity`` is what it is with the flow. The day's opening moves by the flow, so that the
        day's loss stays what it was; the peak in proportion, so that the drawdown in percent does.
        """
        before = equity - flow
        peak = average(self.peak * equity, before) if before > ZERO and equity > ZERO else equity
        return self.model_copy(
            update={
                "peak": storable(max(peak, ZERO)),
                "day_open": self.day_open + flow,
                "capital": dict(capital),
                "version": self.version + 1,
            }
        )

    def drawdown_percent(self, equity: Decimal) -> Decimal:
        """How far equity is below the peak, in percent of the peak; never negative."""
        if self.peak <= ZERO:
            return ZERO
        return max(ZERO, average((self.peak - equity) * 100, self.peak))

    def daily_loss(self, equity: Decimal) -> Decimal:
        """How much of the day's opening equity is gone, in the base currency; never negative."""
        return max(ZERO, self.day_open - equity)


def observed(
    marks: EquityMarks | None, portfolio: Portfolio, day: date, equity: Decimal | None = None
) -> EquityMarks:
    """The marks after looking at a portfolio on ``day``; the same object if nothing changed.

    What the owner put in or took out since is taken out of the comparison first. ``equity`` is
    the portfolio's, where the caller has worked it out already. Raises MissingRate.
    """
    account = portfolio.account
    if equity is None:
        equity = portfolio.equity
    if marks is None:
        return EquityMarks(peak=equity, day=day, day_open=equity, capital=account.capital)
    if marks.capital != account.capital:
        flow = _flow(marks.capital, portfolio)
        marks = marks.moved_by(flow, equity, account.capital)
    return marks.seen(equity, day)


def _flow(before: Mapping[str, Decimal], portfolio: Portfolio) -> Decimal:
    """What was put in since, in the base currency."""
    now = portfolio.account.capital
    moved = {c: now.get(c, ZERO) - before.get(c, ZERO) for c in sorted({*now, *before})}
    return sum((amount * portfolio.rate(c) for c, amount in moved.items() if amount), ZERO)
