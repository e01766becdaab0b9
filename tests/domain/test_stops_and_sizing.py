"""Stops go off once and where they should; sizes follow their formulas; returns leave flows out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.domain.builders import NOW, d
from trading.domain.equity import EquitySnapshot
from trading.domain.errors import InvalidInput
from trading.domain.performance import measure
from trading.domain.risk.sizing import METHODS, size
from trading.domain.risk.stop import Stop, StopKind, StopState


def stop(kind: StopKind, **terms: Any) -> Stop:
    return Stop(
        id="s", portfolio_id="p", symbol="ACME", kind=kind, created_at=NOW, updated_at=NOW, **terms
    )


@pytest.mark.parametrize(
    ("kind", "price", "hit"),
    [
        (StopKind.FIXED, "90.01", False),
        (StopKind.FIXED, "90", True),
        (StopKind.TAKE_PROFIT, "89.99", False),
        (StopKind.TAKE_PROFIT, "90", True),
    ],
)
def test_a_stop_goes_off_at_its_price(kind: StopKind, price: str, hit: bool) -> None:
    seen = stop(kind, price=d(90)).observed(d(price), NOW)
    assert (seen.state is StopState.TRIGGERED) is hit


def test_a_trailing_stop_follows_the_highest_price_and_never_falls() -> None:
    trailing = stop(StopKind.TRAILING, trail_percent=d(10))
    for price, trigger in (("100", "90"), ("120", "108"), ("110", "108")):
        trailing = trailing.observed(d(price), NOW)
        assert trailing.trigger_price == d(trigger)
    assert trailing.observed(d(108), NOW).state is StopState.TRIGGERED


def test_a_stop_that_went_off_looks_at_nothing_any_more() -> None:
    gone = stop(StopKind.FIXED, price=d(90)).observed(d(80), NOW)
    assert gone.observed(d(10), NOW) is gone


@pytest.mark.parametrize(
    ("method", "given", "expected"),
    [
        ("fixed_quantity", {"quantity": d(7)}, 7),
        ("fixed_notional", {"notional": d(500)}, 10),
        ("fixed_fraction", {"fraction": d("0.1")}, 20),
        ("volatility_target", {"target_volatility": d("0.1"), "volatility": d("0.4")}, 50),
        ("volatility_target", {"target_volatility": d("0.5"), "volatility": d("0.25")}, 200),
        ("atr_risk", {"fraction": d("0.01"), "atr": d(5), "atr_multiple": d(2)}, 10),
        ("kelly", {"win_rate": d("0.6"), "payoff_ratio": d(2), "fraction": d("0.25")}, 50),
        ("kelly", {"win_rate": d("0.6"), "payoff_ratio": d(1), "fraction": d("0.5")}, 40),
        ("kelly", {"win_rate": d("0.3"), "payoff_ratio": d(1), "fraction": d("0.5")}, 0),
    ],
)
def test_sizes_follow_their_formulas(method: str, given: dict[str, Any], expected: int) -> None:
    assert size(method, d(10_000), d(50), given) == expected


@pytest.mark.parametrize(
    ("method", "given", "expected"),
    [
        ("fixed_notional", {"notional": d(500)}, 8),
        ("fixed_fraction", {"fraction": d("0.1")}, 16),
        ("atr_risk", {"fraction": d("0.01"), "atr": d(5), "atr_multiple": d(2)}, 8),
        ("fixed_quantity", {"quantity": d(7)}, 7),
    ],
)
def test_sizes_of_another_currency_are_parts_of_equity_in_the_base_one(
    method: str, given: dict[str, Any], expected: int
) -> None:
    assert size(method, d(10_000), d(50), given, rate=d("1.25")) == expected


def test_equity_that_is_gone_buys_nothing() -> None:
    assert size("fixed_fraction", d(-10), d(50), {"fraction": d("0.5")}) == 0


@pytest.mark.parametrize("method", METHODS)
def test_a_missing_input_is_named(method: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        size(method, d(10_000), d(50), {})
    assert caught.value.field == METHODS[method][0][0]


def snapshots(*pairs: tuple[int, int]) -> list[EquitySnapshot]:
    return [
        EquitySnapshot(
            portfolio_id="p",
            time=NOW + timedelta(days=i),
            equity=d(equity),
            cash=d(0),
            holdings_value=d(equity),
            capital=d(capital),
        )
        for i, (equity, capital) in enumerate(pairs)
    ]


def test_deposits_are_no_performance() -> None:
    found = measure(snapshots((100, 100), (110, 100), (220, 210), (198, 210)))
    # 1.1, then (220 - 110) / 110 = 1, then 198 / 220 = 0.9
    assert found.time_weighted_return == d("1.1") * 1 * d("0.9") - 1
    assert found.max_drawdown == d("0.1")
    assert found.net_profit == d(-12)


def test_nothing_measured_is_nothing_gained() -> None:
    assert measure([]).time_weighted_return == 0
    assert measure(snapshots((100, 100))).max_drawdown == 0
