"""Watches what portfolios lose and are exposed to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from trading.domain.portfolio import Portfolio, TradingState
from trading.domain.risk.breach import breach, tighter
from trading.domain.risk.equity_marks import observed
from trading.domain.risk.exposure import measure_exposure
from trading.domain.risk.limits import RiskLimits
from trading.ports import Desk
from trading.usecases.each import each_portfolio
from trading.usecases.halt import cancel_resting, halt
from trading.usecases.retry import retried


def watch_losses(desk: Desk, portfolio_ids: Sequence[str] | None) -> dict[str, int]:
    """Measure equity against the loss limits of portfolios (None: all that have such limits).

    A breach trips the trading state by itself, once, to what the limits say, names its cause, and
    cancels the resting orders that have no place any more. Nothing is ever loosened here. Returns
    how many were watched, how many of them tripped, and how many do not exist. Raises the first
    failure after all had their turn.
    """
    counts: Counter[str] = Counter(watched=0, tripped=0)

    def act(portfolio_id: str) -> None:
        limits = desk.risk.limits(portfolio_id)
        if limits.needs_marks:
            counts["watched"] += 1
            counts["tripped"] += _watch(desk, portfolio_id, limits)
        else:
            desk.books.account(portfolio_id)

    wanted = desk.risk.watched() if portfolio_ids is None else portfolio_ids
    unknown = each_portfolio(desk, wanted, act)
    return {**counts, "unknown": unknown}


def watch_holders(desk: Desk, symbols: Sequence[str]) -> dict[str, int]:
    """Watch the losses of those portfolios that hold one of these symbols; answers as above."""
    watched = desk.risk.watched() if symbols else []
    return watch_losses(desk, desk.books.holders(watched, symbols) if watched else [])


def _watch(desk: Desk, portfolio_id: str, limits: RiskLimits) -> bool:
    """Look at one portfolio; tells whether it tripped now."""
    portfolio, why = retried(lambda: _seen(desk, portfolio_id, limits))
    if why is None:
        return False
    account = portfolio.account
    if tighter(limits.on_breach, account.trading_state):
        halt(desk, portfolio_id, limits.on_breach, why)
        return True
    if account.open_orders and account.trading_state is not TradingState.ACTIVE:
        # Whoever set the state may have died before it had cancelled everything.
        cancel_resting(desk, portfolio_id, why)
    return False


def _seen(desk: Desk, portfolio_id: str, limits: RiskLimits) -> tuple[Portfolio, str | None]:
    """Let the marks see the present equity; returns the portfolio and what it breaks."""
    portfolio = desk.books.portfolio(portfolio_id)
    account = portfolio.account
    was = desk.risk.marks(portfolio_id)
    marks = observed(was, portfolio, desk.books.now(account).date())
    if marks is not was:
        desk.risk.put_marks(portfolio_id, marks, was)
    return portfolio, breach(limits, marks, portfolio.equity, account.base_currency)


def record_exposures(
    desk: Desk,
    portfolio_ids: Sequence[str] | None,
    look: Callable[[Portfolio, datetime], None],
) -> dict[str, int]:
    """Keep the present exposure of portfolios (None: all); returns how many, and how many lack.

    ``look`` is shown each of them first, as it was read, with the moment on its clock.
    """
    counts: Counter[str] = Counter(recorded=0)

    def act(portfolio_id: str) -> None:
        portfolio = desk.books.portfolio(portfolio_id)
        now = desk.books.now(portfolio.account)
        look(portfolio, now)
        desk.exposures.record(measure_exposure(portfolio, now))
        counts["recorded"] += 1

    unknown = each_portfolio(desk, portfolio_ids, act)
    return {**counts, "unknown": unknown}
