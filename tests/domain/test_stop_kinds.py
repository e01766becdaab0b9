"""Each kind of stop, for longs and shorts: it goes off where the price path crosses, and once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.builders import NOW, d
from trading.domain.order import Side
from trading.domain.risk.stop import HoldingSide, Stop, StopKind, StopState

LONG, SHORT = HoldingSide.LONG, HoldingSide.SHORT
PRICES = st.lists(st.integers(min_value=1, max_value=400), min_size=1, max_size=40)


def stop(kind: StopKind, holding: HoldingSide = LONG, **terms: Any) -> Stop:
    """A stop that watches a holding."""
    made = Stop(
        id="s", portfolio_id="p", symbol="ACME", kind=kind, holding=holding,
        created_at=NOW, updated_at=NOW, **terms,
    )  # fmt: skip
    return made.watching(d(1 if holding is LONG else -1), NOW)


def walk(watched: Stop, prices: list[int]) -> list[Stop]:
    """The stop after each price."""
    seen = []
    for price in prices:
        watched = watched.observed(d(price), NOW)
        seen.append(watched)
    return seen


def gone(watched: Stop) -> bool:
    return watched.state is StopState.TRIGGERED


@given(PRICES, st.integers(min_value=1, max_value=400), st.sampled_from(HoldingSide))
def test_a_fixed_stop_goes_off_exactly_when_the_path_crosses(
    prices: list[int], level: int, holding: HoldingSide
) -> None:
    crossed = [p <= level if holding is LONG else p >= level for p in prices]
    for i, seen in enumerate(walk(stop(StopKind.FIXED, holding, price=d(level)), prices)):
        assert gone(seen) is any(crossed[: i + 1])


@given(PRICES, st.integers(min_value=1, max_value=400), st.sampled_from(HoldingSide))
def test_a_take_profit_goes_off_exactly_when_the_gain_is_there(
    prices: list[int], level: int, holding: HoldingSide
) -> None:
    crossed = [p >= level if holding is LONG else p <= level for p in prices]
    for i, seen in enumerate(walk(stop(StopKind.TAKE_PROFIT, holding, price=d(level)), prices)):
        assert gone(seen) is any(crossed[: i + 1])


TRAILS: list[dict[str, Decimal]] = [
    {"trail_percent": d(10)},
    {"trail_amount": d(7)},
    {"atr_multiple": d(3), "atr": d("2.5")},
]


@given(PRICES, st.sampled_from(TRAILS), st.sampled_from(HoldingSide))
def test_a_following_stop_keeps_the_best_price_and_goes_off_when_it_is_lost(
    prices: list[int], terms: dict[str, Decimal], holding: HoldingSide
) -> None:
    kind = StopKind.ATR if "atr" in terms else StopKind.TRAILING
    best, went = max if holding is LONG else min, False
    for i, seen in enumerate(walk(stop(kind, holding, **terms), prices)):
        if went:
            assert gone(seen)
            continue
        peak = d(best(prices[: i + 1]))
        away = peak * terms.get("trail_percent", d(0)) / 100 + terms.get("trail_amount", d(0))
        away += terms.get("atr_multiple", d(0)) * terms.get("atr", d(0))
        trigger = peak - away if holding is LONG else peak + away
        assert (seen.peak, seen.trigger_price) == (peak, trigger)
        went = prices[i] <= trigger if holding is LONG else prices[i] >= trigger
        assert gone(seen) is went


@given(
    st.lists(st.tuples(st.integers(50, 150), st.integers(1, 30)), min_size=2, max_size=30),
    st.sampled_from(HoldingSide),
)
def test_an_atr_stop_never_moves_away_from_the_market(
    steps: list[tuple[int, int]], holding: HoldingSide
) -> None:
    watched = stop(StopKind.ATR, holding, atr_multiple=d(2), atr=d(5))
    level = None
    for price, atr in steps:
        watched = watched.measured(d(atr)).observed(d(price), NOW)
        now = watched.trigger_price
        assert now is not None
        if level is not None:
            assert now >= level if holding is LONG else now <= level
        level = now


def test_a_time_stop_goes_off_after_its_time_of_holding_or_at_its_moment() -> None:
    minute = timedelta(minutes=1)
    after = stop(StopKind.TIME, after_seconds=60)
    at = stop(StopKind.TIME, at=NOW + minute)
    for watched in (after, at):
        assert not gone(watched.observed(d(1), NOW + minute - timedelta(microseconds=1)))
        assert gone(watched.observed(d(1), NOW + minute))
        assert watched.trigger_price is None


def test_a_stop_leaves_by_the_other_side() -> None:
    assert stop(StopKind.FIXED, LONG, price=d(1)).exit_side is Side.SELL
    assert stop(StopKind.FIXED, SHORT, price=d(1)).exit_side is Side.BUY


@pytest.mark.parametrize("quantity", [0, -1])
def test_a_stop_for_longs_forgets_its_peak_when_the_long_is_gone(quantity: int) -> None:
    watched = stop(StopKind.TRAILING, trail_percent=d(10)).observed(d(200), NOW)
    idle = watched.watching(d(quantity), NOW)
    assert (idle.since, idle.peak, idle.trigger_price) == (None, None, None)
    later = NOW + timedelta(hours=1)
    again = idle.watching(d(5), later)
    assert again.since == later
    assert again.watching(d(9), later + timedelta(hours=1)) is again


def test_a_bar_is_taken_to_have_gone_the_way_that_touches_most() -> None:
    trailing = stop(StopKind.TRAILING, trail_percent=d(10)).observed(d(100), NOW)
    assert gone(trailing.observed_bar(d(120), d(107), NOW))
    assert not gone(trailing.observed_bar(d(120), d(109), NOW))
    short = stop(StopKind.TRAILING, SHORT, trail_amount=d(10)).observed(d(100), NOW)
    assert gone(short.observed_bar(d(95), d(85), NOW))


def test_bars_from_before_the_holding_are_no_news_and_the_last_one_may_have_grown() -> None:
    watched = stop(StopKind.FIXED, price=d(1))
    hour = timedelta(hours=1)
    assert not watched.concerns(NOW - hour, bar=True)
    assert watched.concerns(NOW, bar=True)
    looked = watched.model_copy(update={"bar": NOW + 2 * hour})
    assert not looked.concerns(NOW + hour, bar=True)
    assert looked.concerns(NOW + 2 * hour, bar=True)
    assert looked.concerns(NOW + hour, bar=False)
