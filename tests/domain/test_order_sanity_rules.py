"""Orders and prices that look like mistakes: the collar, duplicates, cooldowns, lists."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.builders import NOW, d, order, price
from tests.domain.risk_states import context, portfolio, result
from trading.domain.candle import Price
from trading.domain.order import OrderType, Side
from trading.domain.position import RecentOrder
from trading.domain.risk.engine import judge
from trading.domain.risk.limits import RiskLimits
from trading.domain.risk.rules import ALL_RULES
from trading.domain.risk.rules.price_collar import PriceCollar


def jumped(to: str | Decimal, since: str | Decimal = "100") -> Price:
    """A price of ACME after another."""
    return price().model_copy(update={"price": Decimal(to), "previous": Decimal(since)})


@pytest.mark.parametrize("factor", ["1000", "0.001", "10", "0.1"])
def test_a_price_that_jumped_by_orders_of_magnitude_does_not_trade_by_default(factor: str) -> None:
    held = portfolio(100)
    for side in Side:
        mark = jumped(Decimal(100) * Decimal(factor))
        found = context(order(1, side), held, {})
        found.limits, found.mark = RiskLimits(), mark
        collar = next(r for r in judge(found).results if r.rule == "price_collar")
        assert not collar.passed
        assert "from the price before it" in collar.message


@given(since=st.integers(1, 10**6), to=st.integers(1, 10**6), collar=st.integers(1, 500))
def test_the_mark_may_move_by_the_collar_and_no_more(since: int, to: int, collar: int) -> None:
    mark = jumped(Decimal(to), Decimal(since))
    found = result("price_collar", order(1), portfolio(), mark=mark, price_collar_percent=collar)
    assert found.passed is (abs(to - since) * 100 <= collar * since)


@pytest.mark.parametrize(
    ("terms", "passed"),
    [
        ({"limit_price": "90"}, True),
        ({"limit_price": "110"}, True),
        ({"limit_price": "89.99"}, False),
        ({"limit_price": "110.01"}, False),
        ({"type": OrderType.STOP, "stop_price": d(110)}, True),
        ({"type": OrderType.STOP, "stop_price": d("110.01")}, False),
        ({"type": OrderType.STOP_LIMIT, "stop_price": d(105), "limit_price": "111"}, False),
        ({}, True),
    ],
)
def test_an_orders_prices_stay_within_the_collar_around_the_mark(
    terms: dict[str, Any], passed: bool
) -> None:
    found = result("price_collar", order(1, **terms), portfolio(), price_collar_percent=10)
    assert found.passed is passed


def test_the_first_price_of_all_has_nothing_to_be_held_against() -> None:
    first = result("price_collar", order(1), portfolio(), mark=price(), price_collar_percent=1)
    assert first.passed


def test_no_price_fails_the_collar_closed() -> None:
    found = result("price_collar", order(1), portfolio(), mark=None, price_collar_percent=10)
    assert (found.passed, found.message) == (
        False,
        "ACME has no price yet to hold the order against",
    )


def test_a_stop_that_goes_off_is_held_against_the_marks_move_alone() -> None:
    stop = order(1, type=OrderType.STOP, stop_price=d(150))
    far = {"price_collar_percent": 10, "already_accepted": True}
    assert result("price_collar", stop, portfolio(), **far).passed
    broken = result("price_collar", stop, portfolio(), mark=jumped(200), **far)
    assert not broken.passed
    assert PriceCollar.limits == ("price_collar_percent",)


def recent(age: int, fingerprint: str = "req") -> dict[str, Any]:
    """A position that saw an order some seconds ago."""
    seen = RecentOrder(fingerprint=fingerprint, time=NOW - timedelta(seconds=age))
    return {"acme_more": {"recent_orders": (seen,)}}


@pytest.mark.parametrize(
    ("age", "fingerprint", "passed"),
    [(0, "req", False), (9, "req", False), (10, "req", True), (0, "other", True)],
)
def test_the_same_order_again_within_the_window_is_a_mistake(
    age: int, fingerprint: str, passed: bool
) -> None:
    held = portfolio(5, **recent(age, fingerprint))
    for side in Side:
        found = result("duplicate_order", order(1, side), held, duplicate_window_seconds=10)
        assert found.passed is passed
        assert found.value == (not passed)


def test_an_order_is_no_duplicate_of_itself_when_it_is_judged_again() -> None:
    again = {"duplicate_window_seconds": 10, "already_accepted": True}
    assert result("duplicate_order", order(1), portfolio(**recent(0)), **again).passed


@pytest.mark.parametrize(("age", "passed"), [(0, False), (59, False), (60, True)])
def test_after_a_stop_a_symbol_rests_from_new_risk(age: int, passed: bool) -> None:
    stopped = {"stopped_at": NOW - timedelta(seconds=age)}
    held = portfolio(5, acme_more=stopped)
    found = result("cooldown", order(1), held, cooldown_seconds=60)
    assert (found.passed, found.value) == (passed, age)
    assert result("cooldown", order(1, Side.SELL), held, cooldown_seconds=60).passed


def test_only_listed_symbols_take_new_risk() -> None:
    assert result("allowed_symbols", order(1), portfolio(), allowed_symbols=("ACME",)).passed
    off = {"allowed_symbols": ("BOLT",)}
    refused = result("allowed_symbols", order(1), portfolio(), **off)
    assert (refused.passed, refused.message) == (False, "ACME is not among those allowed")
    assert result("allowed_symbols", order(1, Side.SELL), portfolio(5), **off).passed


@pytest.mark.parametrize(
    ("held", "side", "quantity", "passed"),
    [
        (5, Side.SELL, "5", True),
        (5, Side.SELL, "5.5", False),
        (5, Side.BUY, "1", False),
        (0, Side.SELL, "1", False),
        (-5, Side.BUY, "5", True),
        (-5, Side.BUY, "5.5", False),
        (-5, Side.SELL, "1", False),
    ],
)
def test_a_reduce_only_order_must_only_reduce(
    held: int, side: Side, quantity: str, passed: bool
) -> None:
    owner = portfolio(held, margin=True)
    assert result("reduce_only", order(quantity, side, reduce_only=True), owner).passed is passed
    assert result("reduce_only", order(quantity, side), owner).passed


def test_the_sentence_of_a_reduce_only_order_says_how_much_could_be_reduced() -> None:
    held = portfolio(5, acme_more={"reserved_quantity": d(3)})
    found = result("reduce_only", order(4, Side.SELL, reduce_only=True), held)
    assert found.message == "reduces by 4, at most 2 can be reduced"


def test_at_least_twenty_rules_judge_every_order() -> None:
    assert len(ALL_RULES) >= 20
    assert len(judge(context(order(1), portfolio(), {})).results) == len(ALL_RULES)
