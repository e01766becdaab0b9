"""Returns do not mistake the owner's money for profit, and are what the formulas say."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.domain.builders import NOW, d
from trading.domain.equity import EquitySnapshot
from trading.domain.money_weighted import money_weighted_growth
from trading.domain.performance import NO_RATE, measure


def snapshots(*rows: tuple[int, str | int, str | int]) -> list[EquitySnapshot]:
    """From (day, equity, capital put in by then)."""
    return [
        EquitySnapshot(
            portfolio_id="p",
            time=NOW + timedelta(days=day),
            equity=d(equity),
            cash=d(0),
            holdings_value=d(equity),
            capital=d(capital),
        )
        for day, equity, capital in rows
    ]


def test_without_flows_both_returns_are_the_growth() -> None:
    found = measure(snapshots((0, 100, 100), (100, 104, 100), (200, 110, 100)))
    assert found.time_weighted_return == d("0.1")
    assert found.money_weighted_return == d("0.1")


def test_a_deposit_alone_is_no_profit() -> None:
    found = measure(snapshots((0, 100, 100), (5, 1100, 1100), (10, 1100, 1100)))
    assert (found.net_profit, found.time_weighted_return) == (0, 0)
    assert (found.money_weighted_return, found.max_drawdown) == (0, 0)


def test_money_weighted_return_is_that_of_an_example_by_hand() -> None:
    # 100 in, 50 more half way, 161 at the end: 100 x + 50 sqrt(x) = 161, so that
    # sqrt(x) = (-50 + sqrt(2500 + 64400)) / 200.
    found = measure(snapshots((0, 100, 100), (100, 155, 150), (200, 161, 150)))
    root = (-50 + d(66900).sqrt()) / 200
    assert found.money_weighted_return == pytest.approx(root * root - 1, abs=d("1e-10"))


def test_putting_money_in_before_a_fall_costs_the_owner_more_than_the_strategy() -> None:
    found = measure(snapshots((0, 100, 100), (180, 1120, 1100), (360, 896, 1100)))
    assert found.time_weighted_return == d("1.2") * d("0.8") - 1
    assert found.money_weighted_return is not None
    assert found.money_weighted_return < d("-0.15") < found.time_weighted_return


def test_a_year_s_return_is_that_of_spreadsheets_xirr() -> None:
    # The worked example of Microsoft's documentation of XIRR, as one portfolio: 10000 in, then
    # 2750, 4250, 3250 and 2750 out; 0.373362535 a year.
    days, out = [0, 60, 303, 411, 456], [0, 2750, 4250, 3250, 2750]
    taken = np.cumsum(out)
    rows = [(day, 1, 10000 - int(t)) for day, t in zip(days, taken, strict=True)]
    rows[0], rows[-1] = (0, 10000, 10000), (456, 0, 10000 - int(taken[-1]))
    found = measure(snapshots(*rows))
    assert found.money_weighted_annual == pytest.approx(d("0.373362535"), abs=d("1e-7"))


def test_less_than_a_year_is_not_annualised() -> None:
    assert measure(snapshots((0, 100, 100), (364, 110, 100))).money_weighted_annual is None
    whole = measure(snapshots((0, 100, 100), (365, 110, 100)))
    assert whole.money_weighted_annual == whole.money_weighted_return == d("0.1")


@settings(deadline=None)
@given(
    st.integers(1, 10**6),
    st.lists(st.integers(0, 10**6), min_size=1, max_size=5),
    st.integers(1, 10**6),
)
def test_the_growth_is_the_root_that_a_polynomial_solver_finds(
    start: int, flows: list[int], end: int
) -> None:
    steps = len(flows)
    dated = [(d(steps - n - 1) / steps, d(flow)) for n, flow in enumerate(flows)]
    found = money_weighted_growth(d(start), dated, d(end))
    roots = np.roots([start, *flows[:-1], flows[-1] - end])
    real = [r.real**steps for r in roots if abs(r.imag) < 1e-9 and r.real > 0]
    if not real:
        assert found is None or found == 0
        return
    # Less than the ten decimals that are shown is not looked for.
    assume(len(real) == 1 and real[0] > 1e-9)
    assert found is not None
    assert float(found) == pytest.approx(real[0], rel=1e-6, abs=1e-9)


def test_all_lost_is_minus_one_and_debt_has_no_return() -> None:
    assert measure(snapshots((0, 100, 100), (9, 0, 100))).money_weighted_return == -1
    assert measure(snapshots((0, 100, 100), (9, -5, 100))).money_weighted_return is None
    assert measure(snapshots((0, 0, 0), (9, 0, 0))).money_weighted_return is None


def test_volatility_is_a_year_s_deviation_of_daily_returns() -> None:
    closes = [100, 103, 99, 104, 104, 98]
    found = measure(snapshots(*((day, close, 100) for day, close in enumerate(closes))))
    daily = np.diff(closes) / np.array(closes[:-1], float)
    assert found.volatility is not None
    assert float(found.volatility) == pytest.approx(daily.std(ddof=1) * 365**0.5, rel=1e-12)
    assert measure(snapshots((0, 100, 100), (1, 110, 100))).volatility is None


@given(st.lists(st.tuples(st.integers(-30, 30), st.integers(-50, 500)), min_size=1, max_size=12))
def test_flows_between_two_looks_never_change_the_time_weighted_return(
    steps: list[tuple[int, int]],
) -> None:
    equity, capital, index = d(1000), d(1000), d(1)
    rows = [(0, equity, capital)]
    for day, (percent, flow) in enumerate(steps, 1):
        growth = 1 + d(percent) / 100
        index *= growth
        equity = equity * growth + flow
        assume(equity > 1)
        capital += flow
        rows.append((day, equity, capital))
    series = [
        EquitySnapshot(
            portfolio_id="p",
            time=NOW + timedelta(days=day),
            equity=worth,
            cash=worth,
            holdings_value=Decimal(0),
            capital=put_in,
        )
        for day, worth, put_in in rows
    ]
    assert measure(series).time_weighted_return == pytest.approx(index - 1, abs=d("1e-12"))


def test_the_deepest_fall_is_dated_from_its_peak_to_its_bottom() -> None:
    closes = (100, 120, 90, 130, 117, 91, 140, 112)
    found = measure(snapshots(*((day, close, 100) for day, close in enumerate(closes))))
    assert found.max_drawdown == d("0.3"), "130 to 91"
    assert found.drawdown_start == NOW + timedelta(days=3)
    assert found.drawdown_end == NOW + timedelta(days=5)
    rising = measure(snapshots((0, 100, 100), (1, 101, 100)))
    assert (rising.drawdown_start, rising.drawdown_end) == (None, None)


def test_an_account_that_lost_more_than_it_had_returns_minus_one_for_good() -> None:
    found = measure(snapshots((0, 100, 100), (1, -5, 100), (2, 95, 200), (3, 190, 200)))
    assert (found.time_weighted_return, found.max_drawdown) == (-1, 1)
    assert found.net_profit == -10


def test_a_portfolio_that_was_empty_at_first_is_measured_from_its_first_money() -> None:
    found = measure(snapshots((0, 0, 0), (7, 100, 100), (9, 121, 100)))
    assert found.time_weighted_return == found.money_weighted_return == d("0.21")
    year = measure(snapshots((0, 0, 0), (7, 100, 100), (372, 121, 100)))
    assert year.money_weighted_annual == d("0.21")


def test_payments_that_no_rate_explains_say_so() -> None:
    # 200 is taken out of what was 100 and earned 150, after which 50 are owed.
    found = measure(snapshots((0, 100, 100), (1, 50, -100), (2, -250, -100)))
    assert found.money_weighted_return is None
    assert found.money_weighted_note == NO_RATE


def test_a_return_over_several_days_counts_in_volatility_by_its_days() -> None:
    # 4 % in a day, then 5 % in two: 3 % a day on average.
    found = measure(snapshots((0, 100, 100), (1, 104, 100), (3, "109.2", 100)))
    variance = 0.01**2 + 0.01**2 / 2
    assert found.volatility is not None
    assert float(found.volatility) == pytest.approx((variance * 365) ** 0.5, rel=1e-12)


def test_only_the_last_value_of_a_day_counts_in_volatility() -> None:
    daily = snapshots((0, 100, 100), (1, 104, 100), (2, 101, 100), (3, 108, 100))
    early = daily[0].model_copy(update={"time": NOW.replace(hour=0, minute=0, second=1)})
    assert early.time < NOW
    noisy = measure([early.model_copy(update={"equity": d(50)}), *daily]).volatility
    assert noisy == pytest.approx(measure(daily).volatility, rel=d("1e-12"))


moves = st.lists(st.tuples(st.integers(-50, 60), st.integers(0, 10**6)), min_size=1, max_size=6)


def course(first: int, steps: list[tuple[int, int]], unit: Decimal) -> list[EquitySnapshot]:
    """Each day's change in per cent, then a deposit with a snapshot of its own moment."""
    equity = capital = first * unit
    rows = [(0, str(equity), str(capital))]
    for day, (percent, deposit) in enumerate(steps, 1):
        equity += equity * percent / 100 + deposit * unit
        capital += deposit * unit
        rows.append((day, str(equity), str(capital)))
    return snapshots(*rows)


@settings(deadline=None)
@given(st.integers(1, 10**6), moves, st.integers(-4, 4))
def test_returns_do_not_depend_on_the_unit_of_money(
    first: int, steps: list[tuple[int, int]], power: int
) -> None:
    unit = Decimal(10) ** power
    one, other = measure(course(first, steps, d(1))), measure(course(first, steps, unit))
    assert other.net_profit == one.net_profit * unit
    assert other.time_weighted_return == one.time_weighted_return
    assert (other.max_drawdown, other.drawdown_end) == (one.max_drawdown, one.drawdown_end)
    assert other.volatility == one.volatility
    if one.money_weighted_return is None:
        assert other.money_weighted_return is None
    else:
        assert other.money_weighted_return == pytest.approx(
            one.money_weighted_return, rel=d("1e-8"), abs=d("1e-9")
        )


@settings(deadline=None)
@given(st.integers(1, 10**6), st.lists(st.integers(-50, 60), min_size=1, max_size=6))
def test_without_flows_both_returns_are_one(first: int, percents: list[int]) -> None:
    found = measure(course(first, [(percent, 0) for percent in percents], d(1)))
    assert found.money_weighted_return == pytest.approx(found.time_weighted_return, abs=d("1e-9"))


@settings(deadline=None)
@given(st.integers(1, 10**6), moves, st.integers(1, 10**6), st.integers(0, 5))
def test_money_that_came_and_went_between_two_moves_leaves_profit_and_return_alone(
    first: int, steps: list[tuple[int, int]], amount: int, place: int
) -> None:
    series = course(first, steps, d(1))
    i = min(place, len(series) - 1)
    at = series[i]
    came = {"equity": at.equity + amount, "capital": at.capital + amount}
    there = at.model_copy(update={"time": at.time + timedelta(seconds=1), **came})
    back = at.model_copy(update={"time": at.time + timedelta(seconds=2)})
    one, other = measure(series), measure([*series[: i + 1], there, back, *series[i + 1 :]])
    assert other.net_profit == one.net_profit
    assert other.time_weighted_return == one.time_weighted_return
    assert other.max_drawdown == one.max_drawdown
