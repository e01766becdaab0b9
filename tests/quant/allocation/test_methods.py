"""Weights by every method: closed forms, optimality, bounds, and what cannot be weighed."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from trading.domain.errors import InvalidInput
from trading.domain.rebalance import AllocationMethod
from trading.quant.allocation import equal, inverse_volatility, minimum_variance, risk_parity
from trading.quant.allocation.bounds import exact, fitted
from trading.quant.allocation.covariance import ledoit_wolf, shrunk_covariance
from trading.quant.allocation.weigh import MIN_RETURNS, weigh

Floats = NDArray[np.float64]
METHODS = (equal, inverse_volatility, minimum_variance, risk_parity)


def moves(*deviations: float, bars: int = 60, seed: int = 5) -> Floats:
    """Returns of symbols that have something in common, with about these deviations."""
    random = np.random.default_rng(seed)
    common = random.normal(size=(bars, 1))
    own = random.normal(size=(bars, len(deviations)))
    return (0.5 * common + own) * np.array(deviations)


def free(count: int) -> tuple[Floats, Floats]:
    """Bounds that bind nobody."""
    return np.zeros(count), np.ones(count)


def closes(returns: Floats) -> dict[str, list[Decimal]]:
    """Closes by symbol (A, B, ...) that have these returns."""
    prices = 100 * np.vstack([np.ones(returns.shape[1]), np.cumprod(1 + returns, axis=0)])
    return {
        chr(65 + i): [Decimal(repr(round(float(p), 6))) for p in prices[:, i]]
        for i in range(returns.shape[1])
    }


def d(value: str) -> Decimal:
    return Decimal(value)


def test_the_shrunk_covariance_is_scikit_learns() -> None:
    # sklearn.covariance.ledoit_wolf of scikit-learn 1.9.1 on the same returns.
    percent = [[2, 3, -1], [-1, -2, 4], [3, 5, 0], [-4, -5, 1], [1, 0, -3], [-2, -3, 2], [4, 4, -2],
               [0, 1, 3]]  # fmt: skip
    covariance, shrinkage = ledoit_wolf(np.array(percent, dtype=float) / 100)
    assert shrinkage == pytest.approx(0.19522074769434572)
    assert covariance == pytest.approx(
        np.array(
            [
                [0.0006479417709345508, 0.0006425659342627958, -0.00026658312732624805],
                [0.0006425659342627958, 0.0010302119157797364, -0.00028670260863388933],
                [-0.00026658312732624805, -0.00028670260863388933, 0.0005687213132857129],
            ]
        )
    )


def test_equal_weights_are_one_nth_each() -> None:
    assert equal.weights(moves(0.01, 0.02, 0.03, 0.04), 0.8, *free(4)) == pytest.approx([0.2] * 4)


def test_inverse_volatility_weighs_twice_as_volatile_half_as_much() -> None:
    calm = moves(0.01)
    found = inverse_volatility.weights(np.hstack([calm, 2 * calm]), 0.9, *free(2))
    assert found == pytest.approx([0.6, 0.3])


def test_minimum_variance_of_two_is_the_closed_form() -> None:
    returns = moves(0.01, 0.02)
    s = shrunk_covariance(returns)
    first = (s[1, 1] - s[0, 1]) / (s[0, 0] + s[1, 1] - 2 * s[0, 1])
    found = minimum_variance.weights(returns, 1.0, *free(2))
    assert found == pytest.approx([first, 1 - first], abs=1e-9)


def test_minimum_variance_without_binding_bounds_is_the_inverse_covariance_times_one() -> None:
    returns = moves(0.01, 0.012, 0.011, 0.013, bars=200)
    solved = np.linalg.solve(shrunk_covariance(returns), np.ones(4))
    expected = solved / solved.sum()
    assert expected.min() > 0
    found = minimum_variance.weights(returns, 1.0, *free(4))
    assert found == pytest.approx(expected, abs=1e-9)


def test_no_weights_on_a_grid_vary_less_than_the_minimum_variance_ones() -> None:
    returns = moves(0.01, 0.05, 0.02)  # the second is worth leaving out
    s = shrunk_covariance(returns)
    low, high = np.array([0.0, 0.1, 0.0]), np.array([0.5, 1.0, 1.0])
    found = minimum_variance.weights(returns, 1.0, low, high)
    assert found.sum() == pytest.approx(1, abs=1e-9)
    assert found[1] == pytest.approx(0.1)
    steps = np.arange(0, 101) / 100
    grid = (np.array([a, b, 1 - a - b]) for a, b in product(steps, steps))
    allowed = (w for w in grid if (w >= low - 1e-12).all() and (w <= high + 1e-12).all())
    assert found @ s @ found <= min(w @ s @ w for w in allowed) + 1e-15


def test_risk_parity_gives_every_symbol_the_same_contribution() -> None:
    returns = moves(0.01, 0.02, 0.005, 0.04)
    found = risk_parity.weights(returns, 0.7, *free(4))
    contributions = found * (shrunk_covariance(returns) @ found)
    assert contributions == pytest.approx([contributions.mean()] * 4, rel=1e-9)
    assert found.sum() == pytest.approx(0.7)


@pytest.mark.parametrize("correlation", [-0.3, 0.0, 0.6, 0.95])
def test_risk_parity_is_inverse_volatility_where_all_correlations_are_equal(
    correlation: float,
) -> None:
    deviation = np.array([0.01, 0.02, 0.04])
    matrix = np.full((3, 3), correlation) + (1 - correlation) * np.eye(3)
    found = risk_parity.equal_contributions(matrix * np.outer(deviation, deviation))
    assert found / found.sum() == pytest.approx(np.array([4, 2, 1]) / 7)


def test_risk_parity_of_two_is_inverse_volatility_whatever_their_correlation() -> None:
    found = risk_parity.equal_contributions(np.array([[4.0, -1.5], [-1.5, 1.0]]))
    assert found[1] / found[0] == pytest.approx(2)


@pytest.mark.parametrize("method", METHODS)
@given(
    seed=st.integers(0, 10**6),
    lows=st.lists(st.sampled_from([0.0, 0.05, 0.1]), min_size=4, max_size=4),
    highs=st.lists(st.sampled_from([0.25, 0.4, 1.0]), min_size=4, max_size=4),
    total=st.sampled_from([0.4, 0.7, 1.0]),
)
def test_weights_add_up_and_stay_within_their_bounds(
    method: object, seed: int, lows: list[float], highs: list[float], total: float
) -> None:
    low, high = np.array(lows), np.array(highs)
    found = method.weights(moves(0.01, 0.02, 0.03, 0.01, seed=seed), total, low, high)  # type: ignore[attr-defined]
    assert found.sum() == pytest.approx(total, abs=1e-7)
    assert (found >= low - 1e-12).all()
    assert (found <= high + 1e-12).all()


def test_what_bounds_take_from_one_goes_to_the_others_in_proportion() -> None:
    found = fitted(np.array([6.0, 2.0, 1.0]), 0.9, np.zeros(3), np.array([0.3, 1.0, 1.0]))
    assert found == pytest.approx([0.3, 0.4, 0.2])


def test_exact_weights_are_never_more_than_their_total() -> None:
    third = [1 / 3] * 3
    zeros, ones = [d("0")] * 3, [d("1")] * 3
    assert exact(third, d("1"), zeros, ones) == [d("0.33333333")] * 3
    over = exact([0.5, 0.3000001, 0.2], d("1"), [d("0.5"), d("0"), d("0.2")], ones)
    assert over == [d("0.5"), d("0.3"), d("0.2")]


@pytest.mark.parametrize("method", list(AllocationMethod))
def test_every_method_weighs_by_its_name_and_adds_up(method: AllocationMethod) -> None:
    found = weigh(method, closes(moves(0.01, 0.02, 0.03)), d("0.9"), {"A": d("0.1")}, {})
    assert list(found) == ["A", "B", "C"]
    assert d("0.8999999") <= sum(found.values()) <= d("0.9")


@pytest.mark.parametrize("method", [m for m in AllocationMethod if m is not AllocationMethod.EQUAL])
def test_risk_needs_enough_bars_and_symbols_that_move(method: AllocationMethod) -> None:
    short = closes(moves(0.01, 0.02, bars=MIN_RETURNS - 1))
    with pytest.raises(InvalidInput, match="too few candles"):
        weigh(method, short, d("1"), {}, {})
    still = closes(moves(0.01, 0.0))
    with pytest.raises(InvalidInput, match="'B' did not move"):
        weigh(method, still, d("1"), {}, {})


def test_symbols_that_always_move_alike_are_weighed_by_shrinking() -> None:
    one = moves(0.01)
    found = minimum_variance.weights(np.hstack([one, one]), 1.0, *free(2))
    assert found == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("method", [minimum_variance, risk_parity])
def test_a_covariance_that_is_singular_all_the_same_is_refused(method: object) -> None:
    # Every bar is as far from the mean as every other: there is no noise to shrink away.
    flips = np.tile([[0.01], [-0.01]], (20, 2))
    with pytest.raises(InvalidInput, match="move exactly") as caught:
        method.weights(flips, 1.0, *free(2))  # type: ignore[attr-defined]
    assert caught.value.field == "symbols"


@pytest.mark.parametrize(
    ("low", "high", "field"),
    [
        ({"A": "0.6", "B": "0.5"}, {}, "min_weight"),
        ({}, {"A": "0.3", "B": "0.3"}, "max_weight"),
        ({"A": "0.6"}, {"A": "0.5"}, "min_weight.A"),
    ],
)
def test_bounds_without_room_are_refused_by_name(
    low: dict[str, str], high: dict[str, str], field: str
) -> None:
    bounds = [{s: d(v) for s, v in side.items()} for side in (low, high)]
    with pytest.raises(InvalidInput) as caught:
        weigh(AllocationMethod.EQUAL, {"A": [], "B": []}, d("1"), *bounds)
    assert caught.value.field == field
