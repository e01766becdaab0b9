"""What becomes of a new order: rejected, filled or resting, and what each leaves in the books."""

from __future__ import annotations

import pytest

from tests.domain.builders import (
    NOW,
    UNLIMITED,
    account,
    d,
    later,
    matched,
    order,
    position,
    price,
    snapshot,
)
from trading.domain.books import BookChange, Snapshot
from trading.domain.errors import IllegalTransition
from trading.domain.order import Order, OrderStatus, Side
from trading.domain.order_life import close, place
from trading.domain.recommendation import Recommendation, RecommendationStatus


def advice(status: RecommendationStatus = RecommendationStatus.QUEUED) -> Recommendation:
    return Recommendation(
        id="rec_1",
        portfolio_id="p",
        symbol="ACME",
        side=Side.BUY,
        quantity=d(1),
        execution_status=status,
        source="test",
        created_at=NOW,
        updated_at=NOW,
        valid_until=NOW,
        correlation_id="c",
    )


def rested(made: Order, cash: int = 1000) -> tuple[Order, Snapshot]:
    """A limit order that found no match on arrival, and the books it rests in."""
    state = snapshot(account(cash), position(10, 900))
    change = place(made, state, None)
    assert change.order is not None
    assert change.order.execution_status is OrderStatus.ACCEPTED
    assert change.position is not None
    after = {"account": change.account, "positions": {"ACME": change.position}}
    books = state.model_copy(update={"portfolio": state.portfolio.model_copy(update=after)})
    return change.order, books


def test_a_rejected_order_changes_nothing_but_is_kept_with_its_verdict() -> None:
    change = place(order(11), snapshot(account(1000)), None)
    assert (change.account, change.position, change.fill, change.transaction) == (None,) * 4
    assert change.counted_on is None
    assert change.order is not None
    assert change.order.execution_status is OrderStatus.REJECTED
    assert change.decision is not None
    assert change.order.reason == change.decision.reason == "cash_available"


def test_a_market_order_fills_whole_at_the_latest_price_less_commission() -> None:
    change = place(order("2.5"), snapshot(account(1000)), None)
    assert change.fill is not None
    assert (change.fill.price, change.fill.quantity, change.fill.fee) == (
        d(100),
        d("2.5"),
        d("0.25"),
    )
    assert change.account is not None
    assert change.account.cash == {"USD": d(1000) - 250 - d("0.25")}
    assert change.account.open_orders == 0
    assert change.order is not None
    assert change.order.execution_status is OrderStatus.FILLED
    assert change.order.average_price == 100
    assert change.order_was is None


def test_an_accepted_order_is_counted_on_the_day_under_the_limits_it_was_judged_by() -> None:
    limits = UNLIMITED.model_copy(update={"max_daily_trades": 3, "version": 7})
    change = place(order(), snapshot(limits=limits, trades_today=2), None)
    assert (change.counted_on, change.daily_cap) == (NOW.date(), 3)
    assert change.limits_version == 7


@pytest.mark.parametrize(("side", "limit"), [(Side.BUY, 105), (Side.SELL, 95)])
def test_a_limit_order_that_meets_the_market_takes_the_markets_price(
    side: Side, limit: int
) -> None:
    change = place(order(1, side, limit), snapshot(held=position(5, 400)), None)
    assert change.fill is not None
    assert change.fill.price == 100


def test_a_resting_buy_holds_its_cost_and_commission_rounded_up() -> None:
    state = snapshot(account(1000, "0.0015"))
    change = place(order("1.5", limit_price="33.33"), state, None)
    assert change.order is not None
    assert change.order.reserved_cash == d("49.995") + d("0.07499250")
    assert change.account is not None
    assert change.account.reserved == {"USD": change.order.reserved_cash}
    assert change.account.cash == {"USD": d(1000)}
    assert change.account.open_orders == 1
    assert change.position is not None
    assert change.position.reserved_notional == d("49.995")


def test_a_resting_sell_holds_its_units_and_no_cash() -> None:
    made, books = rested(order(4, Side.SELL, 120))
    portfolio = books.portfolio
    assert made.reserved_cash == 0
    assert portfolio.account.reserved == {}
    assert portfolio.positions["ACME"].reserved_quantity == 4


@pytest.mark.parametrize("made", [order(4, Side.SELL, 120), order(4, Side.BUY, 90)])
@pytest.mark.parametrize("status", [OrderStatus.CANCELLED, OrderStatus.EXPIRED])
def test_an_order_that_ends_unfilled_gives_back_all_it_held(
    made: Order, status: OrderStatus
) -> None:
    resting, books = rested(made)
    portfolio = books.portfolio
    change = close(resting, status, "why", books)
    assert change.account is not None
    assert (change.account.reserved, change.account.open_orders) == ({}, 0)
    assert change.account.cash == portfolio.account.cash
    assert change.position == position(10, 900)
    assert change.order is not None
    assert (change.order.execution_status, change.order.reason) == (status, "why")
    assert change.order.reserved_cash == 0
    assert change.order_was == resting


def test_a_resting_order_trades_at_its_limit_and_holds_nothing_after() -> None:
    resting, books = rested(order(4, Side.BUY, 90))
    change = matched(resting, later(90), books)
    assert change is not None
    assert change.account is not None
    assert change.account.cash == {"USD": d(1000) - 360 - d("0.36")}
    assert (change.account.reserved, change.account.open_orders) == ({}, 0)
    assert change.position == position(14, 900 + 360, fees=d("0.36"))
    assert change.order is not None
    assert change.order.execution_status is OrderStatus.FILLED
    assert change.order.reserved_cash == 0


def test_a_filled_order_cannot_be_closed() -> None:
    state = snapshot()
    done = place(order(), state, None).order
    assert done is not None
    with pytest.raises(IllegalTransition):
        close(done, OrderStatus.CANCELLED, "late", state)


def moved(change: BookChange) -> tuple[RecommendationStatus, RecommendationStatus, str | None]:
    assert change.recommendation is not None
    assert change.recommendation_was is not None
    return (
        change.recommendation_was.execution_status,
        change.recommendation.execution_status,
        change.recommendation.reason,
    )


def test_a_recommendation_moves_in_the_same_change_as_its_order() -> None:
    queued, running = RecommendationStatus.QUEUED, RecommendationStatus.EXECUTING
    filled = place(order(), snapshot(), advice())
    assert moved(filled) == (queued, RecommendationStatus.EXECUTED, None)
    assert filled.recommendation is not None
    assert filled.recommendation.order_id == "ord_1"
    rejected = place(order(99), snapshot(), advice())
    assert moved(rejected) == (queued, RecommendationStatus.REJECTED, "cash_available")
    resting = place(order(1, limit_price=50), snapshot(), advice())
    assert moved(resting) == (queued, running, None)
    waiting, books = rested(order(1, limit_price=50))
    ended = close(waiting, OrderStatus.EXPIRED, "late", books, advice(running))
    assert moved(ended) == (running, RecommendationStatus.EXPIRED, "late")
    traded = matched(waiting, later(50), books, advice(running))
    assert traded is not None
    assert moved(traded) == (running, RecommendationStatus.EXECUTED, None)


def test_an_order_fills_once_under_one_id_however_often_it_is_decided() -> None:
    first, second = (place(order(), snapshot(mark=price(p)), None).fill for p in (100, 90))
    assert first is not None
    assert second is not None
    assert first.id == second.id
