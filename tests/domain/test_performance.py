"""Returns do not mistake the owner's money for profit, and are what the formulas say."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.domain.builders import NOW, d
from trading.domain.equity import EquitySnapshot, measure
from trading.domain.money_weighted import money_weighted_growth


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
    assume(len(real) == 1)
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
