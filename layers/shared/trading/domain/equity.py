"""Equity over time, and what it says about performance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from trading.domain.money import ONE, ZERO, average, storable
from trading.domain.portfolio import Portfolio
from trading.domain.value import Value


class EquitySnapshot(Value):
    """A portfolio's worth at one moment, in its base currency.

    ``capital`` is what the owner had put in by then, net; its changes are the flows that
    time-weighted returns leave out.
    """

    portfolio_id: str
    time: datetime
    equity: Decimal
    cash: Decimal
    holdings_value: Decimal
    capital: Decimal


class Performance(Value):
    """Figures over a series of snapshots; returns and drawdown are fractions (0.1 is 10 %)."""

    start: datetime | None
    end: datetime | None
    snapshots: int
    net_profit: Decimal
    time_weighted_return: Decimal
    max_drawdown: Decimal


def take_snapshot(portfolio: Portfolio, now: datetime) -> EquitySnapshot:
    """Value a portfolio as it stands."""
    account = portfolio.account
    return EquitySnapshot(
        portfolio_id=account.portfolio_id,
        time=now,
        equity=storable(portfolio.equity),
        cash=account.cash_in(account.base_currency),
        holdings_value=storable(portfolio.holdings_value),
        capital=account.capital.get(account.base_currency, ZERO),
    )


def measure(snapshots: Sequence[EquitySnapshot]) -> Performance:
    """Time-weighted return and drawdown of its index, deposits and withdrawals left out.

    Each interval returns (equity_t - flow_t) / equity_(t-1) - 1, a flow counting at the end of
    the interval it falls in; intervals are chained (GIPS Standards, 'time-weighted return').
    Drawdown is the largest fall of the chained index from its peak.
    """
    index, peak, drawdown = ONE, ONE, ZERO
    for earlier, later in pairwise(snapshots):
        flow = later.capital - earlier.capital
        if earlier.equity > ZERO:
            index *= average(later.equity - flow, earlier.equity)
            index = average(index, ONE)
        peak = max(peak, index)
        drawdown = max(drawdown, average(peak - index, peak))
    if not snapshots:
        return Performance(
            start=None,
            end=None,
            snapshots=0,
            net_profit=ZERO,
            time_weighted_return=ZERO,
            max_drawdown=ZERO,
        )
    first, last = snapshots[0], snapshots[-1]
    return Performance(
        start=first.time,
        end=last.time,
        snapshots=len(snapshots),
        net_profit=(last.equity - last.capital) - (first.equity - first.capital),
        time_weighted_return=index - ONE,
        max_drawdown=drawdown,
    )
