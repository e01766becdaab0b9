"""Each risk rule at, below and over its limit; all of them run whatever one says."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.domain.builders import NOW, account, d, limits, order, position, price, snapshot
from trading.domain.order import Order, Side
from trading.domain.order_life import order_context
from trading.domain.portfolio import TradingState
from trading.domain.risk.engine import judge
from trading.domain.risk.rule import RuleResult
from trading.domain.risk.rules import ALL_RULES


def result(rule: str, made: Order, **state: Any) -> RuleResult:
    decision = judge(order_context(made, snapshot(**state)))
    return next(r for r in decision.results if r.rule == rule)


def test_every_rule_has_its_own_name_and_runs_even_when_all_fail() -> None:
    halted = account(cash=0, trading_state=TradingState.HALTED)
    decision = judge(order_context(order("0.3"), snapshot(halted, priced=False)))
    assert [r.rule for r in decision.results] == [rule.name for rule in ALL_RULES]
    assert len({rule.name for rule in ALL_RULES}) == len(ALL_RULES)
    assert decision.reason == "trading_state"
    assert {r.rule for r in decision.failures} >= {"trading_state", "stale_price", "lot_size"}


@pytest.mark.parametrize(("age", "passed"), [(0, True), (60, True), (61, False)])
def test_a_price_may_be_as_old_as_the_instrument_allows(age: int, passed: bool) -> None:
    assert result("stale_price", order(), mark=price(age=age)).passed is passed


def test_a_fraction_of_a_second_too_old_is_too_old() -> None:
    late = price().model_copy(update={"time": NOW - timedelta(seconds=60, microseconds=1)})
    found = result("stale_price", order(), mark=late)
    assert not found.passed
    assert found.value == d("60.000001")
    assert "60.000001 s old" in found.message


def test_no_price_is_a_stale_price() -> None:
    assert not result("stale_price", order(), priced=False).passed


@pytest.mark.parametrize(("quantity", "passed"), [("0.5", True), ("1.5", True), ("0.7", False)])
def test_quantities_come_in_whole_lots(quantity: str, passed: bool) -> None:
    assert result("lot_size", order(quantity)).passed is passed


@pytest.mark.parametrize(("mark", "passed"), [("10", True), ("9.99", False)])
def test_an_order_is_worth_at_least_the_minimum(mark: str, passed: bool) -> None:
    assert result("min_notional", order(1), mark=price(mark)).passed is passed


@pytest.mark.parametrize(("quantity", "passed"), [("2", True), ("2.5", False)])
@pytest.mark.parametrize(
    ("rule", "limit"),
    [
        ("order_quantity", {"max_order_quantity": d(2)}),
        ("order_notional", {"max_order_notional": d(200)}),
        ("allocation", {"max_allocation_percent": d(20)}),
        ("symbol_exposure", {"max_symbol_exposure_percent": d(20)}),
    ],
)
def test_caps_hold_up_to_and_including_the_limit(
    rule: str, limit: dict[str, Decimal], quantity: str, passed: bool
) -> None:
    assert result(rule, order(quantity), limits=limits(**limit)).passed is passed


@pytest.mark.parametrize("rule", ["allocation", "symbol_exposure"])
def test_a_share_just_over_its_cap_is_not_rounded_down_to_it(rule: str) -> None:
    wealthy = account(str(10**12), rate="0")
    cap = limits(max_allocation_percent=d(25), max_symbol_exposure_percent=d(25))
    for quantity, passed in (("2500000000", True), ("2500000000.1", False)):
        assert result(rule, order(quantity), owner=wealthy, limits=cap).passed is passed


@pytest.mark.parametrize(
    ("rule", "limit"),
    [
        ("order_quantity", {"max_order_quantity": d(1)}),
        ("order_notional", {"max_order_notional": d(1)}),
        ("allocation", {"max_allocation_percent": d(1)}),
        ("symbol_exposure", {"max_symbol_exposure_percent": d(1)}),
    ],
)
def test_caps_do_not_hold_an_order_that_only_reduces_risk(
    rule: str, limit: dict[str, Decimal]
) -> None:
    held = position(10, 1000)
    assert result(rule, order(4, Side.SELL), held=held, limits=limits(**limit)).passed


def test_resting_buys_count_as_exposure() -> None:
    held = position(0, 0, reserved_notional=d(150))
    cap = limits(max_symbol_exposure_percent=d(20))
    assert result("symbol_exposure", order("0.5"), held=held, limits=cap).passed
    assert not result("symbol_exposure", order(1), held=held, limits=cap).passed
    assert result("allocation", order(1), held=held, limits=cap).passed


@pytest.mark.parametrize(("today", "passed"), [(2, True), (3, False)])
def test_the_day_has_so_many_orders_and_no_more(today: int, passed: bool) -> None:
    cap = limits(max_daily_trades=3)
    assert result("daily_trades", order(), limits=cap, trades_today=today).passed is passed


@pytest.mark.parametrize(("cash", "passed"), [("100.10", True), ("100.09", False)])
def test_cash_must_cover_the_commission_too(cash: str, passed: bool) -> None:
    assert result("cash_available", order(1), owner=account(cash)).passed is passed


def test_cash_promised_to_resting_orders_is_not_available() -> None:
    owner = account(1000, reserved={"USD": d(950)})
    assert not result("cash_available", order(1), owner=owner).passed


def test_a_limit_order_is_judged_at_its_limit() -> None:
    assert result("cash_available", order(1, limit_price=50), owner=account(60)).passed


@pytest.mark.parametrize(("quantity", "passed"), [("7", True), ("7.5", False)])
def test_only_what_is_held_and_free_can_be_sold(quantity: str, passed: bool) -> None:
    held = position(10, 1000, reserved_quantity=d(3))
    assert result("holding_available", order(quantity, Side.SELL), held=held).passed is passed


@pytest.mark.parametrize(
    ("state", "side", "passed"),
    [
        (TradingState.ACTIVE, Side.BUY, True),
        (TradingState.REDUCING, Side.BUY, False),
        (TradingState.REDUCING, Side.SELL, True),
        (TradingState.HALTED, Side.SELL, False),
    ],
)
def test_the_kill_switch_is_precise(state: TradingState, side: Side, passed: bool) -> None:
    owner = account(trading_state=state, trading_state_reason="news")
    found = result("trading_state", order(1, side), owner=owner, held=position(5, 500))
    assert found.passed is passed
    assert "news" in found.message
