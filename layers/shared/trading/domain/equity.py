"""Equity over time, and what it says about performance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from trading.domain.money import ONE, ZERO, average, storable
from trading.domain.money_weighted import money_weighted_growth
from trading.domain.portfolio import Portfolio
from trading.domain.value import Value

YEAR = timedelta(days=365)


class EquitySnapshot(Value):
    """A portfolio's worth at one moment, all currencies counted in its base currency.

    ``capital`` is what the owner had put in by then, net; its changes are the flows that returns
    leave out. As a snapshot is kept with every such flow, right after it, each flow is dated
    exactly, and equity right before it is known.
    """

    portfolio_id: str
    time: datetime
    equity: Decimal
    cash: Decimal
    holdings_value: Decimal
    capital: Decimal


class Performance(Value):
    """Figures over a series of snapshots; returns and drawdown are fractions (0.1 is 10 %).

    ``money_weighted_return`` is over the whole period, as the time-weighted one is;
    ``money_weighted_annual`` is the same a year (365 days), None for less than a year, as shorter
    periods are not to be annualised (GIPS Standards). ``volatility`` is a year's, too.
    """

    start: datetime | None
    end: datetime | None
    snapshots: int
    net_profit: Decimal
    time_weighted_return: Decimal
    money_weighted_return: Decimal | None
    money_weighted_annual: Decimal | None
    max_drawdown: Decimal
    volatility: Decimal | None


def take_snapshot(portfolio: Portfolio, now: datetime) -> EquitySnapshot:
    """Value a portfolio as it stands."""
    account = portfolio.account
    return EquitySnapshot(
        portfolio_id=account.portfolio_id,
        time=now,
        equity=storable(portfolio.equity),
        cash=storable(portfolio.in_base(account.cash)),
        holdings_value=storable(portfolio.holdings_value),
        capital=storable(portfolio.in_base(account.capital)),
    )


def measure(snapshots: Sequence[EquitySnapshot]) -> Performance:
    """Returns, drawdown and volatility, deposits and withdrawals left out.

    Each interval returns (equity_t - flow_t) / equity_(t-1) - 1, a flow counting at the end of
    the interval it falls in; intervals are chained to an index (GIPS Standards, 'time-weighted
    return'). Drawdown is the largest fall of the index from its peak.
    """
    index = _index(snapshots)
    peak, drawdown = ONE, ZERO
    for value in index:
        peak = max(peak, value)
        drawdown = max(drawdown, average(peak - value, peak))
    growth = _growth(snapshots)
    first, last = (snapshots[0], snapshots[-1]) if snapshots else (None, None)
    return Performance(
        start=first.time if first else None,
        end=last.time if last else None,
        snapshots=len(snapshots),
        net_profit=_profit(last) - _profit(first),
        time_weighted_return=index[-1] - ONE if index else ZERO,
        money_weighted_return=None if growth is None else growth - ONE,
        money_weighted_annual=_a_year(growth, snapshots),
        max_drawdown=drawdown,
        volatility=_volatility(snapshots, index),
    )


def _profit(snapshot: EquitySnapshot | None) -> Decimal:
    """Equity less what was put in."""
    return snapshot.equity - snapshot.capital if snapshot else ZERO


def _index(snapshots: Sequence[EquitySnapshot]) -> list[Decimal]:
    """What 1 at the first snapshot has become at each of them, flows left out."""
    index = [ONE] if snapshots else []
    for earlier, later in pairwise(snapshots):
        value = index[-1]
        if earlier.equity > ZERO:
            flow = later.capital - earlier.capital
            value = average(value * average(later.equity - flow, earlier.equity), ONE)
        index.append(value)
    return index


def _growth(snapshots: Sequence[EquitySnapshot]) -> Decimal | None:
    """What the money that was in grew by over the whole period, as a factor."""
    if len(snapshots) < 2 or snapshots[0].time == snapshots[-1].time:
        return None
    end = snapshots[-1].time
    period = end - snapshots[0].time
    flows = [
        (_ratio(end - later.time, period), later.capital - earlier.capital)
        for earlier, later in pairwise(snapshots)
        if later.capital != earlier.capital
    ]
    return money_weighted_growth(snapshots[0].equity, flows, snapshots[-1].equity)


def _a_year(growth: Decimal | None, snapshots: Sequence[EquitySnapshot]) -> Decimal | None:
    """The growth of a whole period as a yearly return."""
    if growth is None or snapshots[-1].time - snapshots[0].time < YEAR:
        return None
    return average(growth ** _ratio(YEAR, snapshots[-1].time - snapshots[0].time), ONE) - ONE


def _volatility(snapshots: Sequence[EquitySnapshot], index: Sequence[Decimal]) -> Decimal | None:
    """The standard deviation (n - 1) of the index's returns from day to day, times sqrt(365).

    Of each UTC day the last snapshot counts; days without one are passed over. None for fewer
    than two returns.
    """
    closes: dict[date, Decimal] = {s.time.date(): v for s, v in zip(snapshots, index, strict=True)}
    returns = [b / a - ONE for a, b in pairwise(closes.values()) if a]
    if len(returns) < 2:
        return None
    mean = sum(returns, ZERO) / len(returns)
    variance = sum(((r - mean) ** 2 for r in returns), ZERO) / (len(returns) - 1)
    return average((variance * YEAR.days).sqrt(), ONE)


def _ratio(part: timedelta, whole: timedelta) -> Decimal:
    """One span as a fraction of another, exactly to the microsecond."""
    tick = timedelta(microseconds=1)
    return Decimal(part // tick) / Decimal(whole // tick)
