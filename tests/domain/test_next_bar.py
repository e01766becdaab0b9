"""Orders that meet the market at its next move: when, at what price, and how large."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.builders import NOW, account, d
from tests.domain.world import World
from trading.domain.fill_model import FillModel, FillTiming
from trading.domain.matching import Observation
from trading.domain.order import OrderStatus, OrderType, Side, TimeInForce
from trading.domain.order_request import StopLoss

NEXT = FillModel(timing=FillTiming.NEXT_BAR)
HOUR = timedelta(hours=1)


def world(cash: object = 10_000, rate: str = "0.001", **terms: object) -> World:
    return World(account(str(cash), rate, fill_model=NEXT, **terms))


def bar(opened: object, high: object, low: object, close: object, after: int = 0) -> Observation:
    amounts = (Decimal(str(amount)) for amount in (opened, high, low, close))
    start = NOW + after * HOUR
    return Observation("ACME", start, start + HOUR, *amounts, Decimal(1000))


def test_a_market_order_waits_and_trades_at_the_next_open_dated_then() -> None:
    here = world()
    order = here.ask(5)
    assert order.execution_status is OrderStatus.ACCEPTED
    assert not here.fills
    here.see(bar(103, 110, 90, 95))
    (fill,) = here.fills
    assert (fill.price, fill.quantity, fill.time) == (d(103), d(5), NOW)
    here.check_promises()


def test_an_order_that_cannot_wait_takes_the_price_as_it_stands() -> None:
    here = world()
    here.ask(5, time_in_force=TimeInForce.IOC)
    assert [fill.price for fill in here.fills] == [d(100)]


def test_a_limit_order_through_the_market_rests_and_trades_at_its_own_price() -> None:
    here = world()
    here.ask(5, limit_price=104)
    assert not here.fills
    here.see(bar(103, 110, 90, 95))
    assert [fill.price for fill in here.fills] == [d(104)]


def test_an_order_whose_time_ends_within_the_bar_still_meets_its_open() -> None:
    here = world()
    order = here.ask(5, time_in_force=TimeInForce.GTD, expires_at=NOW + HOUR / 2)
    here.see(bar(103, 110, 90, 95))
    assert here.now_is(order).execution_status is OrderStatus.FILLED


def test_an_order_whose_time_ends_before_the_bar_expires() -> None:
    here = world()
    order = here.ask(5, time_in_force=TimeInForce.GTD, expires_at=NOW + HOUR / 2)
    here.see(bar(103, 110, 90, 95, after=1))
    assert here.now_is(order).execution_status is OrderStatus.EXPIRED


@pytest.mark.parametrize(("opened", "quantity"), [(80, 124), (100, 99), (125, 79)])
def test_an_order_by_worth_is_sized_by_the_open(opened: int, quantity: int) -> None:
    # floor(10,000 / (open * 1.001)) in lots of a half, and 9,999.99 would not pay for more.
    here = world()
    order = here.ask("99.5", notional=10_000)
    here.see(bar(opened, opened, opened, opened))
    traded = here.now_is(order).filled_quantity
    assert int(traded) == quantity
    assert (traded + d("0.5")) * opened * d("1.001") > 10_000
    assert here.now_is(order).execution_status is OrderStatus.FILLED
    here.check_promises()


@given(
    st.integers(1, 10**6).map(lambda n: Decimal(n).scaleb(-2)),
    st.integers(100, 10**6).map(lambda n: Decimal(n).scaleb(-2)),
    st.sampled_from(["0", "0.001", "0.0123"]),
    st.booleans(),
)
def test_it_never_costs_more_than_its_worth_nor_than_the_cash(
    opened: Decimal, worth: Decimal, rate: str, margin: bool
) -> None:
    here = world(2_000, rate, margin=margin)
    here.ask("0.5", notional=worth)
    here.see(bar(opened, opened, opened, opened))
    spent = sum((f.notional + f.fee for f in here.fills), Decimal(0))
    assert spent <= worth
    if not margin:
        assert spent <= 2_000
    here.check_promises()


def test_a_closing_order_takes_over_the_units_of_the_exits_at_once() -> None:
    here = world()
    entry = here.ask(5, take_profit=150, stop_loss=StopLoss(stop_price=d(50)))
    here.see(bar(100, 101, 99, 100))
    exits = here.position.exits
    assert exits is not None
    assert set(exits) == {entry.take_profit_id, entry.stop_loss_id}
    assert here.position.reserved_quantity == 5
    close = here.ask(5, Side.SELL, replaces=exits)
    assert close.execution_status is OrderStatus.ACCEPTED
    assert [here.now_is(leg).execution_status for leg in exits] == [OrderStatus.CANCELLED] * 2
    here.check_promises()
    here.see(bar(102, 102, 102, 102, after=1))
    assert (here.position.quantity, here.position.exits) == (0, None)


def test_the_exits_stay_when_the_closing_order_is_refused() -> None:
    here = world()
    here.ask(5, take_profit=150, stop_loss=StopLoss(stop_price=d(50)))
    here.see(bar(100, 101, 99, 100))
    exits = here.position.exits
    assert exits is not None
    close = here.ask(6, Side.SELL, replaces=exits)
    assert close.execution_status is OrderStatus.REJECTED
    assert all(here.now_is(leg).is_open for leg in exits)
    here.check_promises()


def test_exits_bracket_an_entry_from_the_bar_that_it_traded_in() -> None:
    here = world()
    here.ask(5, take_profit=110, stop_loss=StopLoss(stop_price=d(95)))
    here.see(bar(100, 112, 94, 100))
    assert [(f.side, f.price) for f in here.fills] == [(Side.BUY, d(100)), (Side.SELL, d(95))]


def test_a_stop_entry_waits_for_its_price() -> None:
    here = world()
    here.ask(5, type=OrderType.STOP, stop_price=105)
    here.see(bar(100, 104, 99, 101))
    assert not here.fills
    here.see(bar(101, 106, 100, 104, after=1))
    assert [fill.price for fill in here.fills] == [d(105)]
