"""The life of orders of every type: how they rest, trade, pull each other along, and end."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.domain.builders import (
    NOW,
    UNLIMITED,
    account,
    bar,
    d,
    later,
    order,
    position,
    price,
    snapshot,
)
from tests.domain.world import World
from trading.domain.errors import Conflict, IllegalTransition
from trading.domain.fill_model import FillModel, SlippageModel
from trading.domain.order import Liquidity, Order, OrderStatus, OrderType, Side, TimeInForce
from trading.domain.order_life import VenueReport, settle
from trading.domain.order_request import StopLoss
from trading.domain.portfolio import TradingState

S = OrderStatus


def status(world: World, made: Order | str | None) -> OrderStatus:
    return world.now_is(made).execution_status


def holding(quantity: int = 10) -> World:
    return World(held=position(quantity, quantity * 90))


def test_a_stop_waits_goes_off_once_and_is_gone() -> None:
    world = holding()
    made = world.ask(4, Side.SELL, type=OrderType.STOP, stop_price=95)
    assert status(world, made) is S.ACCEPTED
    world.see(later(96))
    assert status(world, made) is S.ACCEPTED
    world.see(later(94, 20))
    assert status(world, made) is S.FILLED
    assert (world.fills[0].price, world.fills[0].liquidity) == (d(94), Liquidity.TAKER)
    world.see(later(80, 30))
    assert len(world.fills) == 1
    world.check_promises()


def test_a_trailing_stop_follows_the_best_price_and_sells_at_the_turn() -> None:
    world = holding()
    made = world.ask(4, Side.SELL, type=OrderType.TRAILING_STOP, trail_percent=10)
    assert world.now_is(made).stop_trigger == 90
    world.see(later(120))
    assert world.now_is(made).stop_trigger == 108
    world.see(later(110, 20))
    assert world.now_is(made).stop_trigger == 108
    world.see(later(107, 30))
    assert (status(world, made), world.fills[0].price) == (S.FILLED, d(107))
    world.check_promises()


@pytest.mark.parametrize("rule", [TimeInForce.IOC, TimeInForce.FOK])
def test_at_once_or_not_at_all(rule: TimeInForce) -> None:
    world = World()
    made = world.ask(1, limit_price=99, time_in_force=rule)
    assert (status(world, made), world.fills) == (S.CANCELLED, [])
    assert rule in (world.now_is(made).reason or "")
    taken = world.ask(1, limit_price=101, time_in_force=rule)
    assert (status(world, taken), world.fills[0].price) == (S.FILLED, d(100))
    world.check_promises()


def thin(volume: int, rate: str = "0.1") -> World:
    """A portfolio that trades a tenth of a bar's volume at most."""
    model = FillModel(participation_rate=d(rate), maker_rate=d("0.0005"))
    mark = price(100).model_copy(update={"volume": d(volume)})
    return World(account(10_000, fill_model=model), mark=mark)


def test_ioc_takes_what_there_is_and_fok_nothing_of_too_little() -> None:
    world = thin(50)
    part = world.ask(8, time_in_force=TimeInForce.IOC)
    assert (status(world, part), world.now_is(part).filled_quantity) == (S.CANCELLED, 5)
    whole = world.ask(8, time_in_force=TimeInForce.FOK)
    assert (status(world, whole), world.now_is(whole).filled_quantity) == (S.CANCELLED, 0)
    world.check_promises()


def test_an_order_larger_than_its_share_of_the_volume_fills_bar_by_bar() -> None:
    world = thin(30)
    made = world.ask(10)
    assert (status(world, made), world.now_is(made).filled_quantity) == (S.PARTIALLY_FILLED, 3)
    world.check_promises()
    world.see(bar(98, 103, 101, 102, volume="45"))
    assert world.now_is(made).filled_quantity == d("7.5")
    assert world.fills[1].price == 101
    later_bar = bar(98, 103, 99, 102, volume="200")
    moved = {"start": later_bar.time, "time": later_bar.time + timedelta(minutes=1)}
    world.see(later_bar._replace(**moved))
    assert (status(world, made), len({f.id for f in world.fills})) == (S.FILLED, 3)
    assert sum(f.quantity for f in world.fills) == 10
    world.check_promises()


def test_the_orders_of_a_portfolio_share_a_bars_volume_the_better_limit_first() -> None:
    world = thin(1000)
    low, high = world.ask(10, limit_price=95), world.ask(10, limit_price=96)
    seen = bar(90, 101, 100, 92, volume="150")
    world.see(seen)
    assert (world.now_is(high).filled_quantity, world.now_is(low).filled_quantity) == (10, 5)
    assert {f.liquidity for f in world.fills} == {Liquidity.MAKER}
    assert world.fills[0].fee == d("0.48")
    world.see(seen)
    assert sum(f.quantity for f in world.fills) == 15
    world.check_promises()


def test_a_good_till_date_order_ends_in_time() -> None:
    world = World()
    until = NOW + timedelta(seconds=15)
    made = world.ask(1, limit_price=95, time_in_force=TimeInForce.GTD, expires_at=until)
    world.see(later(96, 10))
    assert status(world, made) is S.ACCEPTED
    world.see(later(94, 20))
    assert (status(world, made), world.fills) == (S.EXPIRED, [])
    world.check_promises()


def bracketed(world: World, **terms: object) -> tuple[Order, Order, Order]:
    entry = world.ask(4, take_profit=110, stop_loss=StopLoss(stop_price=d(95)), **terms)
    return entry, world.now_is(entry.take_profit_id), world.now_is(entry.stop_loss_id)


def test_a_brackets_exits_wait_for_the_entry_and_then_hold_its_units_once() -> None:
    world = World()
    entry, target, loss = bracketed(world, limit_price=99)
    assert [o.execution_status for o in (entry, target, loss)] == [S.ACCEPTED, S.NEW, S.NEW]
    assert world.account.open_orders == 1
    world.see(later(99))
    assert [status(world, o) for o in (entry, target, loss)] == [S.FILLED, S.ACCEPTED, S.ACCEPTED]
    assert world.position.reserved_quantity == 4
    world.check_promises()


@pytest.mark.parametrize(("seen", "sold_at"), [(111, 110), (94, 94)])
def test_one_exit_of_a_bracket_ends_the_other(seen: int, sold_at: int) -> None:
    world = World()
    _, target, loss = bracketed(world)
    world.see(later(seen))
    done, gone = (target, loss) if seen > 100 else (loss, target)
    assert (status(world, done), status(world, gone)) == (S.FILLED, S.CANCELLED)
    assert [f.price for f in world.fills] == [100, sold_at]
    assert world.position.quantity == 0
    assert (world.position.stopped_at is not None) is (done is loss)
    world.see(later(200, 30))
    world.see(later(50, 40))
    assert len(world.fills) == 2
    world.check_promises()


def test_a_bar_that_touches_both_exits_takes_the_stop() -> None:
    world = World()
    _, target, loss = bracketed(world)
    world.see(bar(90, 120, 100, 115))
    assert (status(world, loss), status(world, target)) == (S.FILLED, S.CANCELLED)
    assert world.fills[1].price == 95


def test_a_bar_that_fills_the_entry_may_stop_it_but_never_pays_the_target() -> None:
    world = World()
    entry, target, loss = bracketed(world, limit_price=98)
    world.see(bar(96, 120, 100, 115))
    assert [status(world, o) for o in (entry, target, loss)] == [S.FILLED, S.ACCEPTED, S.ACCEPTED]
    fallen = World()
    entry, target, loss = bracketed(fallen, limit_price=98)
    fallen.see(bar(90, 120, 100, 115))
    assert [status(fallen, o) for o in (entry, target, loss)] == [S.FILLED, S.CANCELLED, S.FILLED]
    assert [f.price for f in fallen.fills] == [98, 95]
    fallen.check_promises()


def test_a_bracket_whose_entry_ends_takes_its_exits_with_it() -> None:
    world = World()
    entry, target, loss = bracketed(world, limit_price=98)
    world.end(entry)
    assert [status(world, o) for o in (entry, target, loss)] == [S.CANCELLED] * 3
    world.check_promises()


def test_exits_protect_what_a_partly_filled_entry_has_bought_and_end_the_rest() -> None:
    world = thin(1000)
    entry, target, loss = bracketed(world, limit_price=98)
    world.see(bar(97, 101, 100, 99, volume="25"))
    assert world.now_is(entry).filled_quantity == d("2.5")
    assert world.now_is(target).quantity == world.now_is(loss).quantity == d("2.5")
    world.check_promises()
    world.see(later(94, 90))
    assert [status(world, o) for o in (entry, target, loss)] == [S.CANCELLED, S.CANCELLED, S.FILLED]
    assert world.position.quantity == 0
    world.check_promises()


def test_two_linked_orders_are_promised_the_units_once_and_end_together() -> None:
    world = holding(4)
    target = world.ask(4, Side.SELL, limit_price=110)
    loss = world.ask(4, Side.SELL, type=OrderType.STOP, stop_price=95, oco_order_id=target.id)
    assert (loss.oco_id, world.now_is(target).oco_id) == (target.id, loss.id)
    assert world.position.reserved_quantity == 4
    world.check_promises()
    world.end(loss)
    assert status(world, target) is S.CANCELLED
    world.check_promises()


def test_what_one_of_two_linked_orders_trades_the_other_loses() -> None:
    model = FillModel(participation_rate=d("0.1"))
    world = World(account(10_000, fill_model=model), held=position(4, 360))
    target = world.ask(4, Side.SELL, limit_price=110)
    loss = world.ask(4, Side.SELL, type=OrderType.STOP, stop_price=95, oco_order_id=target.id)
    world.see(bar(99, 112, 100, 111, volume="15"))
    assert world.now_is(target).filled_quantity == d("1.5")
    assert world.now_is(loss).remaining == world.now_is(target).remaining == d("2.5")
    world.check_promises()
    world.see(later(94, 90))
    assert (status(world, loss), status(world, target)) == (S.FILLED, S.CANCELLED)
    assert world.position.quantity == 0
    world.check_promises()


def test_two_linked_buys_hold_the_cash_of_the_dearer_one() -> None:
    world = World(account(1000, "0"))
    dip = world.ask(8, limit_price=90)
    breakout = world.ask(8, type=OrderType.STOP, stop_price=105, oco_order_id=dip.id)
    assert breakout.execution_status is S.ACCEPTED
    assert world.account.reserved == {"USD": d(840)}
    world.check_promises()
    world.see(later(90))
    assert (status(world, dip), status(world, breakout)) == (S.FILLED, S.CANCELLED)
    assert world.account.reserved == {}


def test_a_stop_that_gaps_beyond_the_cash_buys_what_it_can() -> None:
    world = World(account(1000, "0"))
    made = world.ask(9, type=OrderType.STOP, stop_price=105)
    world.see(later(200))
    # 9 x 200 is more than there is: the order is judged again when it goes off.
    assert (status(world, made), world.now_is(made).reason) == (S.REJECTED, "cash_available")
    assert world.account.cash == {"USD": d(1000)}
    assert world.decisions[-1].failures[0].rule == "cash_available"
    world.check_promises()


def test_slippage_beyond_the_cash_shortens_a_purchase_to_whole_lots() -> None:
    model = FillModel(slippage=SlippageModel.VOLUME_SHARE, slippage_bps=d(1000))
    world = World(account(1000, "0", fill_model=model))
    made = world.ask(9, type=OrderType.STOP, stop_price=105)
    world.see(later(105))
    filled = world.now_is(made)
    assert filled.filled_quantity * d("115.5") <= 1000
    assert world.account.cash["USD"] >= 0
    assert (filled.filled_quantity, filled.execution_status) == (d("8.5"), S.CANCELLED)
    world.check_promises()


def test_a_reduce_only_order_never_turns_a_holding_around() -> None:
    world = holding(4)
    made = world.ask(4, Side.SELL, limit_price=110, reduce_only=True)
    world.position = world.position.model_copy(update={"quantity": d(1), "cost_basis": d(90)})
    world.see(later(111))
    assert (world.now_is(made).filled_quantity, status(world, made)) == (1, S.CANCELLED)
    assert world.position.quantity == 0
    world.check_promises()


def test_a_reduce_only_order_with_nothing_left_to_reduce_ends_and_is_promised_nothing() -> None:
    world = holding(4)
    made = world.ask(4, Side.SELL, limit_price=110, reduce_only=True)
    world.position = world.position.model_copy(update={"quantity": d(0), "cost_basis": d(0)})
    world.see(later(111))
    assert (status(world, made), world.fills) == (S.CANCELLED, [])
    assert world.account.open_orders == 0
    world.check_promises()


def test_a_linked_stop_that_goes_off_on_arrival_shortens_the_other() -> None:
    model = FillModel(participation_rate=d("0.1"))
    mark = price(100).model_copy(update={"volume": d(10)})
    world = World(account(10_000, fill_model=model), mark=mark)
    dip = world.ask(4, limit_price=90)
    stop = world.ask(4, type=OrderType.STOP, stop_price=95, oco_order_id=dip.id)
    assert (stop.filled_quantity, world.now_is(dip).remaining) == (1, 3)
    assert world.now_is(dip).oco_id == stop.id
    world.check_promises()


def test_a_halted_portfolio_trades_nothing_and_a_reducing_one_only_gets_out() -> None:
    world = holding()
    buy, sell = world.ask(1, limit_price=95), world.ask(1, Side.SELL, limit_price=105)
    halted = {"trading_state": TradingState.HALTED, "trading_state_since": NOW}
    world.account = world.account.model_copy(update=halted)
    world.see(later(94))
    world.see(later(106, 20))
    assert world.fills == []
    reducing = {"trading_state": TradingState.REDUCING, "trading_state_since": world.now}
    world.account = world.account.model_copy(update=reducing)
    world.see(later(94, 30))
    world.see(later(106, 40))
    assert (status(world, buy), status(world, sell)) == (S.ACCEPTED, S.FILLED)


def test_what_happened_while_trading_was_halted_fills_nothing_afterwards() -> None:
    world = World()
    made = world.ask(1, limit_price=95)
    seen = later(94)
    back = {"trading_state_since": seen.time}
    world.account = world.account.model_copy(update=back)
    world.see(seen)
    assert status(world, made) is S.ACCEPTED
    world.see(later(94, 20))
    assert status(world, made) is S.FILLED


def test_a_price_that_jumps_beyond_the_collar_fills_nothing() -> None:
    limits = UNLIMITED.model_copy(update={"price_collar_percent": d(50)})
    world = World(limits=limits, held=position(1, 90))
    made = world.ask(1, Side.SELL, limit_price=110)
    world.see(later(100_000))
    assert status(world, made) is S.ACCEPTED
    world.mark = price(105)
    world.see(later(111, 20))
    assert (status(world, made), world.fills[0].price) == (S.FILLED, d(110))


def submitted(state: OrderStatus) -> Order:
    made = order(4, limit_price=100).moved(S.ACCEPTED, NOW).moved(S.SUBMITTED, NOW)
    return made if state is S.SUBMITTED else made.moved(state, NOW)


@pytest.mark.parametrize("told", [S.CANCELLED, S.EXPIRED, S.SUBMITTED, S.PARTIALLY_FILLED])
def test_only_the_venue_leads_an_order_out_of_unknown(told: OrderStatus) -> None:
    lost = submitted(S.UNKNOWN)
    with pytest.raises(IllegalTransition):
        lost.moved(S.CANCELLED, NOW)
    report = VenueReport(
        execution_status=told, filled_quantity=d(1), filled_notional=d(99), fees=d("0.1")
    )
    change = settle(lost, report, snapshot())
    assert change is not None
    assert change.order is not None
    assert change.fill is not None
    known = S.PARTIALLY_FILLED if told in (S.SUBMITTED, S.PARTIALLY_FILLED) else told
    assert (change.order.execution_status, change.order.filled_quantity) == (known, 1)
    assert (change.fill.price, change.fill.fee) == (99, d("0.1"))


@pytest.mark.parametrize("end", [S.CANCELLED, S.EXPIRED])
@pytest.mark.parametrize("quantity", [1, 4])
def test_a_fill_reported_after_the_end_is_booked_and_the_rest_stays_ended(
    end: OrderStatus, quantity: int
) -> None:
    ended = submitted(S.SUBMITTED).moved(end, NOW, "as asked")
    told = VenueReport(
        execution_status=end, filled_quantity=d(quantity), filled_notional=d(100 * quantity)
    )
    state = snapshot(account(1000, "0"))
    change = settle(ended, told, state)
    assert change is not None
    assert change.order is not None
    assert change.order.execution_status is (S.FILLED if quantity == 4 else end)
    assert change.account is not None
    assert change.account.cash == {"USD": Decimal(1000 - 100 * quantity)}
    assert (change.account.reserved, change.account.open_orders) == ({}, 0)
    assert settle(change.order, told, state) is None


def test_a_venue_that_knows_less_than_the_books_is_a_conflict() -> None:
    made = submitted(S.SUBMITTED).model_copy(update={"filled_quantity": d(2)})
    told = VenueReport(execution_status=S.SUBMITTED, filled_quantity=d(1))
    with pytest.raises(Conflict, match="the venue reports 1"):
        settle(made, told, snapshot())
    whole = VenueReport(execution_status=S.FILLED, filled_quantity=d(3))
    with pytest.raises(Conflict, match="the venue reports 3 and 'filled'"):
        settle(made, whole, snapshot())
