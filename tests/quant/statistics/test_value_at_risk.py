"""Tail figures against closed forms, hand-computed samples and each other."""

from __future__ import annotations

import math
import statistics
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.quant.statistics.value_at_risk import MIN_OBSERVATIONS, VarMethod, tail_risk

NORMAL = statistics.NormalDist(0.5, 2.0)
# The midpoints of 4,000 equal slices of a normal distribution: a sample without luck.
NORMAL_SAMPLE = [NORMAL.inv_cdf((i + 0.5) / 4_000) for i in range(4_000)]
PROFITS = st.lists(
    st.integers(-(10**6), 10**6).map(lambda n: n / 1000), min_size=MIN_OBSERVATIONS, max_size=80
)


@pytest.mark.parametrize("method", VarMethod)
@pytest.mark.parametrize("confidence", [0.95, 0.99])
def test_every_method_finds_the_closed_form_of_a_normal_sample(
    method: VarMethod, confidence: float
) -> None:
    standard = statistics.NormalDist()
    z = standard.inv_cdf(confidence)
    found = tail_risk(NORMAL_SAMPLE, confidence, 1, method)
    assert float(found.value_at_risk) == pytest.approx(2 * z - 0.5, rel=5e-3)
    shortfall = 2 * standard.pdf(z) / (1 - confidence) - 0.5
    assert float(found.expected_shortfall) == pytest.approx(shortfall, rel=5e-3)


def test_historical_is_the_interpolated_quantile_and_the_mean_beyond_it() -> None:
    # 41 profits from -20 to 20: 5 % of 40 steps is the third smallest, -18.
    found = tail_risk([float(p) for p in range(20, -21, -1)], 0.95, 1, VarMethod.HISTORICAL)
    assert found.value_at_risk == 18
    assert found.expected_shortfall == 19
    # 31 profits from -15 to 15: 5 % of 30 steps is half-way between -14 and -13.
    between = tail_risk([float(p) for p in range(-15, 16)], 0.95, 1, VarMethod.HISTORICAL)
    assert between.value_at_risk == Decimal("13.5")
    assert between.expected_shortfall == Decimal("14.5")


def test_a_profit_that_stands_at_the_quantile_belongs_to_the_tail() -> None:
    # 10 % of 100 steps is the eleventh smallest, though 1 - 0.9 is a little less than a tenth.
    profits = [-1000.0] * 10 + [-1.0] + [float(p) for p in range(90)]
    found = tail_risk(profits, 0.9, 1, VarMethod.HISTORICAL)
    assert found.value_at_risk == 1
    assert float(found.expected_shortfall) == pytest.approx(10_001 / 11)


@pytest.mark.parametrize("method", VarMethod)
def test_a_longer_horizon_scales_by_its_square_root(method: VarMethod) -> None:
    day, week = (tail_risk(NORMAL_SAMPLE, 0.95, bars, method) for bars in (1, 9))
    assert float(week.value_at_risk) == pytest.approx(3 * float(day.value_at_risk))
    assert float(week.expected_shortfall) == pytest.approx(3 * float(day.expected_shortfall))


def test_a_crash_prone_history_is_riskier_than_its_deviation_says() -> None:
    crashes = [1.0] * 95 + [-20.0] * 5
    assert (
        tail_risk(crashes, 0.99, 1, VarMethod.CORNISH_FISHER).value_at_risk
        > tail_risk(crashes, 0.99, 1, VarMethod.PARAMETRIC).value_at_risk
    )


def test_cornish_fisher_is_zangaris_expansion() -> None:
    # Lose 20 with probability p, else gain 1: the moments of a Bernoulli variable are known.
    p = 0.05
    mean, deviation = 1 - 21 * p, 21 * math.sqrt(p * (1 - p))
    skew, excess = -(1 - 2 * p) / math.sqrt(p * (1 - p)), (1 - 6 * p * (1 - p)) / (p * (1 - p))
    z = statistics.NormalDist().inv_cdf(0.01)
    terms = (
        z,
        (z * z - 1) * skew / 6,
        z * (z * z - 3) * excess / 24,
        -z * (2 * z * z - 5) * skew * skew / 36,
    )
    found = tail_risk([1.0] * 95 + [-20.0] * 5, 0.99, 1, VarMethod.CORNISH_FISHER)
    assert float(found.value_at_risk) == pytest.approx(-(mean + deviation * sum(terms)), rel=1e-6)


@given(PROFITS)
def test_the_shortfall_is_never_less_than_the_value_at_risk(profits: list[float]) -> None:
    for method in (VarMethod.HISTORICAL, VarMethod.PARAMETRIC):
        found = tail_risk(profits, 0.95, 1, method)
        assert found.expected_shortfall >= found.value_at_risk >= 0


@pytest.mark.parametrize("method", VarMethod)
def test_what_only_ever_gained_risks_nothing(method: VarMethod) -> None:
    found = tail_risk([5.0] * MIN_OBSERVATIONS, 0.99, 10, method)
    assert (found.value_at_risk, found.expected_shortfall) == (0, 0)


def test_too_few_observations_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 30 observations, has 29"):
        tail_risk([1.0] * 29, 0.95, 1, VarMethod.HISTORICAL)
