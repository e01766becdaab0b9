"""Signals weigh into one opinion, which asks for no more than the policy and the cash allow."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.builders import ACME, NOW, account, d, position, price, snapshot
from trading.domain.aggregation import Opinion, aggregate
from trading.domain.money import fee_amount
from trading.domain.order import Side
from trading.domain.portfolio import AllocationPolicy
from trading.domain.position import Position
from trading.domain.signal import Signal
from trading.domain.targeting import target_order

FINE = ACME.model_copy(update={"lot_size": Decimal("0.00000001")})


def signal(strategy: str, score: str) -> Signal:
    return Signal(
        id=f"sig_{strategy}",
        symbol="ACME",
        source="technical",
        strategy=strategy,
        score=d(score),
        time=NOW,
        created_at=NOW,
        correlation_id="c",
    )


def wanted(
    score: str, held: Position | None = None, budget: str | None = None, **terms: Any
) -> tuple[Side, Decimal] | None:
    owner = account(10_000, policy=AllocationPolicy(**terms))
    portfolio = snapshot(owner, held).portfolio
    opinion = Opinion(score=d(score), contributions=[])
    made = target_order(opinion, portfolio, ACME, price(), d(budget or 10_000))
    return None if made is None else (made.side, made.quantity)


def test_an_opinion_is_the_weighted_mean_of_its_signals() -> None:
    found = aggregate([signal("slow", "1"), signal("fast", "-0.5")], {"slow": d(3)})
    assert found is not None
    assert found.score == (3 * d(1) + 1 * d("-0.5")) / 4
    assert [(c.strategy, c.weight) for c in found.contributions] == [("fast", 1), ("slow", 3)]


def test_the_order_in_which_signals_come_makes_no_difference() -> None:
    signals = [signal("a", "0.1"), signal("b", "0.2"), signal("c", "-0.7")]
    assert aggregate(signals, {}) == aggregate(signals[::-1], {})


@pytest.mark.parametrize("signals", [[], [signal("a", "1")]])
def test_without_any_weight_there_is_no_opinion(signals: list[Signal]) -> None:
    assert aggregate(signals, {"a": d(0)}) is None


@pytest.mark.parametrize(
    ("score", "quantity"), [("0.49", None), ("0.5", "5"), ("0.777", "7.5"), ("1", "10")]
)
def test_from_flat_a_score_buys_its_share_of_the_target_in_whole_lots(
    score: str, quantity: str | None
) -> None:
    # A tenth of an equity of 10,000 at 100 is 10 units; lots are of 0.5.
    assert wanted(score) == (None if quantity is None else (Side.BUY, d(quantity)))


def test_a_buy_stays_within_the_cash_that_is_free_and_its_commission() -> None:
    assert wanted("1", budget="500.50") == (Side.BUY, d(5))
    assert wanted("1", budget="500.49") == (Side.BUY, d("4.5"))
    assert wanted("1", budget="0.1") is None


@given(
    st.integers(1, 10**7).map(lambda n: Decimal(n).scaleb(-2)),
    st.integers(1, 10**6).map(lambda n: Decimal(n).scaleb(-2)),
    st.integers(0, 500).map(lambda n: Decimal(n).scaleb(-4)),
)
def test_a_buy_with_all_the_cash_can_always_be_paid(
    cash: Decimal, mark: Decimal, rate: Decimal
) -> None:
    owner = account(str(cash), str(rate), policy=AllocationPolicy(target_fraction=d(1)))
    portfolio = snapshot(owner, mark=price(str(mark))).portfolio
    opinion = Opinion(score=d(1), contributions=[])
    made = target_order(opinion, portfolio, FINE, price(str(mark)), cash)
    if made is not None:
        notional = made.quantity * mark
        assert notional + fee_amount(notional * rate) <= cash


@pytest.mark.parametrize(("score", "sells"), [("-0.49", False), ("-0.5", True), ("-1", True)])
def test_from_long_a_low_score_sells_all_that_is_free(score: str, sells: bool) -> None:
    held = position("7.5", 700, reserved_quantity=d(2))
    assert wanted(score, held) == ((Side.SELL, d("5.5")) if sells else None)


def test_less_than_a_lot_is_left_alone() -> None:
    assert wanted("-1", position("0.4", 40)) is None


@pytest.mark.parametrize("held", [position(1, 100), position(0, 0, reserved_notional=d(50))])
def test_a_high_score_does_not_add_to_what_is_held_or_on_its_way(held: Position) -> None:
    assert wanted("1", held) is None


def test_a_low_score_does_not_sell_short() -> None:
    assert wanted("-1") is None


def test_only_signals_that_count_and_agree_say_where_to_leave() -> None:
    def hinted(strategy: str, score: str, stop: str, size: str) -> Signal:
        hints = {"stop_distance": d(stop), "size": d(size)}
        return signal(strategy, score).model_copy(update=hints)

    heard = [
        hinted("agrees", "1", "0.05", "0.8"),
        hinted("also", "0.5", "0.04", "0.9"),
        hinted("opposes", "-0.2", "0.01", "0.1"),
        hinted("ignored", "1", "0.02", "0.2"),
    ]
    found = aggregate(heard, {"ignored": d(0)})
    assert found is not None
    assert (found.stop_distance, found.size) == (d("0.04"), d("0.8"))
