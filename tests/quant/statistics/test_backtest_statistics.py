"""A backtest's figures equal those of empyrical and quantstats, and trades those done by hand."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

import empyrical
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.quant.simulation.markets import candles, config, market, says, walk
from trading.backtesting import run_backtest
from trading.quant.simulation.round_trips import round_trips
from trading.quant.statistics import ratios
from trading.quant.statistics.backtest import (
    Statistics,
    simple_returns,
    statistics_of,
)
from trading.quant.statistics.drawdowns import drawdown

D = Decimal
RETURNS = arrays(float, st.integers(10, 60), elements=st.floats(-0.25, 0.25))


def measured(bars: int = 5000, **terms: Any) -> tuple[Statistics, np.ndarray, np.ndarray]:
    """A run's statistics, its daily returns, and those of holding."""
    data = market(walk(bars=bars))
    result = run_backtest(config(commission_rate=D("0.0005"), **terms), data)
    ends = data.period_ends
    equity = np.append(1_000_000, result.equity[ends])
    held = np.append(data.candles["A"].open[0], data.candles["A"].close[ends])
    return statistics_of(result, data), simple_returns(equity), simple_returns(held)


def test_ratios_are_those_of_empyrical() -> None:
    found, daily, held = measured()
    assert len(daily) == math.ceil(5000 / 24)
    assert found.periods_per_year == 365
    peer = {
        "sharpe": empyrical.sharpe_ratio(daily, annualization=365),
        "sortino": empyrical.sortino_ratio(daily, annualization=365),
        "annual_volatility": empyrical.annual_volatility(daily, annualization=365),
        "omega": empyrical.omega_ratio(daily),
        "total_return": empyrical.cum_returns_final(daily),
    }
    assert {name: found.returns[name] for name in peer} == pytest.approx(peer)
    tails = {
        "var_95": empyrical.value_at_risk(daily),
        "cvar_95": daily[daily <= np.quantile(daily, 0.05)].mean(),
    }
    assert {name: found.risk[name] for name in tails} == pytest.approx(tails)
    alpha, beta = empyrical.alpha_beta(daily, held, annualization=365)
    assert found.benchmark["alpha"] == pytest.approx(alpha)
    assert found.benchmark["beta"] == pytest.approx(beta)
    excess = daily - held
    ratio = excess.mean() / excess.std(ddof=1) * math.sqrt(365)
    assert found.benchmark["information_ratio"] == pytest.approx(ratio)


@given(RETURNS)
def test_any_series_has_the_ratios_of_empyrical_or_none(returns: np.ndarray) -> None:
    pairs = (
        (ratios.sharpe(returns, 252), empyrical.sharpe_ratio(returns)),
        (ratios.sortino(returns, 252), empyrical.sortino_ratio(returns)),
        (ratios.omega(returns), empyrical.omega_ratio(returns)),
        (ratios.value_at_risk(returns), empyrical.value_at_risk(returns)),
    )
    for ours, peers in pairs:
        if ours is not None:
            assert ours == pytest.approx(peers, rel=1e-6, abs=1e-9)


@given(RETURNS)
def test_the_deepest_drawdown_is_that_of_empyrical(returns: np.ndarray) -> None:
    equity = np.append(1.0, np.cumprod(1 + returns))
    found = drawdown(equity, np.arange(len(equity)) * 1.0, equity[0], 0.0)
    assert found.deepest == pytest.approx(empyrical.max_drawdown(returns), abs=1e-12)


@pytest.mark.parametrize(
    ("equity", "longest"),
    [([1, 2, 3], 0), ([3, 2, 3, 4], 2), ([3, 2, 1], 2), ([2, 1, 2, 1, 1, 1], 3), ([5], 0)],
)
def test_the_longest_time_below_a_peak(equity: list[float], longest: float) -> None:
    curve = np.array(equity, float)
    assert drawdown(curve, np.arange(len(curve)) * 1.0, curve[0], 0.0).longest_seconds == longest


@pytest.mark.parametrize(
    ("equity", "deepest", "longest"),
    [([9, 8, 12, 6], -0.5, 3), ([9, 8], -0.2, 2), ([10, 11], 0, 0), ([12, 9], -0.25, 1)],
)
def test_a_curve_falls_from_what_it_began_with(
    equity: list[float], deepest: float, longest: float
) -> None:
    found = drawdown(np.array(equity, float), 1.0 + np.arange(len(equity)), 10.0, 0.0)
    assert found.deepest == pytest.approx(deepest, abs=1e-12)
    assert found.longest_seconds == longest


def test_round_trips_have_their_profit_and_what_the_market_offered() -> None:
    rows = [
        (100, 100, 100, 100),
        (100, 112, 90, 105),
        (105, 120, 104, 110),
        (110, 130, 80, 100),
        (100, 100, 100, 100),
    ]
    data = market(candles("A", rows))
    both = config(cash=D(1000), margin=True, policy={"direction": "both"})
    result = run_backtest(both, data, says={"A": says([1, 1, -1, 1, 0])})
    trips = round_trips(result.fills, data)
    # Ten units at 100 are turned at the open of 110 into ten short, and those at 100 into longs.
    assert trips.quantity.tolist() == [10, -10]
    assert trips.pnl.tolist() == [100, 100]
    assert trips.mae == pytest.approx([-0.1, 1 - 130 / 110])
    assert trips.mfe == pytest.approx([0.2, 1 - 80 / 110])
    figures = statistics_of(result, data).trades
    assert (figures["round_trips"], figures["win_rate"], figures["expectancy"]) == (2, 1, 100)
    assert figures["profit_factor"] is None


def test_profit_of_the_trips_and_fees_add_up_to_the_change_of_equity() -> None:
    data = market(walk(bars=3000))
    both = config(
        margin=True, commission_rate=D("0.001"), policy={"direction": "both"}, cash=D(100_000)
    )
    result = run_backtest(both, data)
    trips = round_trips(result.fills, data)
    held = float(result.final_positions["A"])
    last = result.fills.records()[-1]
    opened = held * (data.candles["A"].close[-1] - float(last.price))
    share = abs(held) / abs(float(last.quantity))
    expected = result.equity[-1] - 100_000 - opened + float(last.fee) * share
    assert trips.pnl.sum() == pytest.approx(expected)
    grouped = statistics_of(result, data)
    assert grouped.by_symbol["A"]["pnl"] == pytest.approx(trips.pnl.sum())
    total = np.prod([1 + (change or 0) for change in grouped.by_month.values()])
    assert total == pytest.approx(result.equity[-1] / 100_000)


@pytest.mark.parametrize("scores", [[0.0], [0.0] * 30, [1.0] * 30])
def test_nothing_traded_or_never_closed_has_no_figure_that_is_not_a_number(
    scores: list[float | None],
) -> None:
    data = market(walk(bars=len(scores)))
    result = run_backtest(config(), data, says={"A": says(scores)})
    text = json.dumps(statistics_of(result, data).as_dict(), allow_nan=False)
    assert '"round_trips": 0' in text


def test_a_ruined_portfolio_is_measured() -> None:
    rows = [(100, 100, 100, 100), (100, 100, 100, 100), (250, 250, 250, 250)] * 2
    short = config(cash=D(1000), margin=True, policy={"direction": "short"})
    data = market(candles("A", rows))
    result = run_backtest(short, data, says={"A": says([-1] * 6)})
    assert result.equity.min() < 0
    found = statistics_of(result, data)
    json.dumps(found.as_dict(), allow_nan=False)
    assert found.risk["max_drawdown"] < -1  # type: ignore[operator]
