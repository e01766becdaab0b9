"""What a series of equity snapshots says about performance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import dropwhile, pairwise

from trading.domain.equity import EquitySnapshot
from trading.domain.money import ONE, ZERO, average
from trading.domain.money_weighted import money_weighted_growth
from trading.domain.value import Value

YEAR = timedelta(days=365)
TOO_FEW = "there are no two equity snapshots of different moments to measure between"
NO_RATE = "no rate of return explains the deposits, the withdrawals and what is left"
UNDER_A_YEAR = "less than a year is not annualised"

Index = Sequence[tuple[datetime, Decimal]]
"""What 1 at the first of some moments has become at each of them, flows left out."""


class Drawdown(Value):
    """The largest fall from a peak as a fraction of it, and from when to when it went."""

    max_drawdown: Decimal = ZERO
    drawdown_start: datetime | None = None
    drawdown_end: datetime | None = None


class MoneyWeighted(Value):
    """The return on the money that was in, over the whole period and a year (365 days).

    ``money_weighted_note`` says why a figure is None. Periods of less than a year are not to be
    annualised (GIPS Standards).
    """

    money_weighted_return: Decimal | None = None
    money_weighted_annual: Decimal | None = None
    money_weighted_note: str | None = None


class Performance(Drawdown, MoneyWeighted):
    """Figures over a series of snapshots; returns and drawdown are fractions (0.1 is 10 %).

    ``start`` and ``end`` are the first and the last snapshot; ``volatility`` is a year's, None for
    fewer than two days' returns.
    """

    start: datetime | None
    end: datetime | None
    snapshots: int
    net_profit: Decimal
    time_weighted_return: Decimal
    volatility: Decimal | None


def measure(snapshots: Sequence[EquitySnapshot]) -> Performance:
    """Returns, drawdown and volatility of snapshots in order of time, flows left out."""
    index = _index(snapshots)
    first, last = (snapshots[0], snapshots[-1]) if snapshots else (None, None)
    return Performance(
        start=first.time if first else None,
        end=last.time if last else None,
        snapshots=len(snapshots),
        net_profit=_profit(last) - _profit(first),
        time_weighted_return=index[-1][1] - ONE if index else ZERO,
        volatility=_volatility(index),
        **_drawdown(index).model_dump(),
        **_money_weighted(snapshots).model_dump(),
    )


def _profit(snapshot: EquitySnapshot | None) -> Decimal:
    """Equity less what was put in."""
    return snapshot.equity - snapshot.capital if snapshot else ZERO


def _index(snapshots: Sequence[EquitySnapshot]) -> Index:
    """Chain the returns of the intervals, (equity_t - flow_t) / equity_(t-1) - 1 each.

    A flow counts at the end of the interval it falls in; with a valuation at every flow this is
    the true time-weighted return (GIPS Standards, 'time-weighted return'). An interval that begins
    without equity earns nothing. One that loses all, or with borrowed money more, leaves zero: a
    return below -1 has no meaning.
    """
    value = ONE
    index = [(snapshot.time, value) for snapshot in snapshots[:1]]
    for earlier, later in pairwise(snapshots):
        if earlier.equity > ZERO:
            kept = max(later.equity - (later.capital - earlier.capital), ZERO)
            value = average(value * average(kept, earlier.equity), ONE)
        index.append((later.time, value))
    return index


def _drawdown(index: Index) -> Drawdown:
    """The largest (peak - value) / peak, the earliest if there are several.

    Source: Magdon-Ismail and Atiya, 'Maximum drawdown', Risk 17(10), 2004.
    """
    worst, peak = Drawdown(), ZERO
    since: datetime | None = None
    for time, value in index:
        if value > peak:
            since, peak = time, value
        fall = average(peak - value, peak)
        if fall > worst.max_drawdown:
            worst = Drawdown(max_drawdown=fall, drawdown_start=since, drawdown_end=time)
    return worst


def _money_weighted(snapshots: Sequence[EquitySnapshot]) -> MoneyWeighted:
    """The internal rate of first equity, changes of capital and last equity.

    The period begins with the first snapshot of a portfolio that is not empty.
    """
    held = list(dropwhile(lambda s: not s.equity, snapshots))
    period = held[-1].time - held[0].time if held else timedelta()
    if not period:
        return MoneyWeighted(money_weighted_note=TOO_FEW)
    end = held[-1].time
    flows = [
        (_ratio(end - later.time, period), later.capital - earlier.capital)
        for earlier, later in pairwise(held)
        if later.capital != earlier.capital
    ]
    growth = money_weighted_growth(held[0].equity, flows, held[-1].equity)
    if growth is None:
        return MoneyWeighted(money_weighted_note=NO_RATE)
    total = growth - ONE
    if period < YEAR:
        return MoneyWeighted(money_weighted_return=total, money_weighted_note=UNDER_A_YEAR)
    annual = average(growth ** _ratio(YEAR, period), ONE) - ONE
    return MoneyWeighted(money_weighted_return=total, money_weighted_annual=annual)


def _volatility(index: Index) -> Decimal | None:
    """The standard deviation of the index's returns from day to day, times sqrt(365).

    Of each UTC day the last value counts. Where days have none, a return r_i over d_i days counts
    by them: with m = sum(r) / sum(d), a day's variance is sum((r_i - m * d_i)^2 / d_i) / (n - 1),
    the sample variance for d_i = 1 (Campbell, Lo and MacKinlay, The Econometrics of Financial
    Markets, 9.3). None for fewer than two returns.
    """
    closes = {time.date(): value for time, value in index}
    steps = [
        (b / a - ONE, Decimal((day - before).days))
        for (before, a), (day, b) in pairwise(closes.items())
        if a
    ]
    if len(steps) < 2:
        return None
    mean = sum((r for r, _ in steps), ZERO) / sum((d for _, d in steps), ZERO)
    variance = sum(((r - mean * d) ** 2 / d for r, d in steps), ZERO) / (len(steps) - 1)
    return average((variance * YEAR.days).sqrt(), ONE)


def _ratio(part: timedelta, whole: timedelta) -> Decimal:
    """One span as a fraction of another, exactly to the microsecond."""
    tick = timedelta(microseconds=1)
    return Decimal(part // tick) / Decimal(whole // tick)
