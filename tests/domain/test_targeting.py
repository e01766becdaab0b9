"""What order a score leads to: shorts, turns, sizes, exits around an entry, its type and price."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.builders import ACME, account, d, position, price, snapshot
from tests.domain.test_next_bar import NEXT
from trading.domain.aggregation import Opinion
from trading.domain.order import OrderType, Side
from trading.domain.portfolio import AllocationPolicy
from trading.domain.position import Position
from trading.domain.targeting import Target, target_order

BOTH = {"direction": "both", "margin": True}


def wanted(
    score: Any,
    held: Position | None = None,
    *,
    margin: bool = False,
    hints: dict[str, Decimal] | None = None,
    owner: dict[str, Any] | None = None,
    promised: int = 0,
    **policy: Any,
) -> Target | None:
    """The order that a score asks for, at a price of 100 with 10,000 of cash."""
    terms = AllocationPolicy(**policy)
    books = account(10_000, policy=terms, margin=margin, **owner or {})
    opinion = Opinion(score=Decimal(score), contributions=[], **hints or {})
    portfolio = snapshot(books, held).portfolio
    return target_order(opinion, portfolio, ACME, price(), d(10_000), d(promised))


def entry(score: Any = 1, **terms: Any) -> Target:
    made = wanted(score, **terms)
    assert made is not None
    return made


def test_a_low_score_opens_a_short_of_its_part_of_the_fraction() -> None:
    made = entry("-0.8", **BOTH)
    assert (made.side, made.quantity, made.opens, made.closes) == (Side.SELL, d(8), True, False)


@pytest.mark.parametrize(
    "terms", [{"direction": "both"}, {"direction": "long", "margin": True}], ids=str
)
def test_without_margin_or_leave_nothing_is_sold_short(terms: dict[str, Any]) -> None:
    assert wanted(-1, **terms) is None


def test_a_policy_of_shorts_buys_nothing_from_flat() -> None:
    assert wanted(1, direction="short", margin=True) is None


@pytest.mark.parametrize(("score", "covers"), [("0.5", True), ("0.49", False), ("-1", False)])
def test_a_short_is_covered_at_the_mirrored_exit_score(score: str, covers: bool) -> None:
    made = wanted(score, position(-5, -500), direction="short", margin=True)
    assert (made is not None) is covers
    if made:
        assert (made.side, made.quantity, made.opens, made.closes) == (Side.BUY, 5, False, True)


@given(
    st.sampled_from([-1, 1]),
    st.integers(1, 80),
    st.integers(50, 100).map(lambda n: Decimal(n).scaleb(-2)),
    st.sampled_from([{}, {"fill_model": NEXT}]),
)
def test_a_turn_leaves_the_wanted_side(
    way: int, units: int, strength: Decimal, owner: dict[str, Any]
) -> None:
    held = position(-way * units, -way * units * 100)
    made = entry(way * strength, held=held, owner=owner, **BOTH)
    signed = made.quantity if made.side is Side.BUY else -made.quantity
    assert (held.quantity + signed) * way > 0
    assert (made.opens, made.closes, made.notional) == (True, True, None)


def test_a_score_that_only_leaves_does_not_turn() -> None:
    made = entry("-0.6", held=position(5, 500), entry_score=d("0.7"), **BOTH)
    assert (made.side, made.quantity, made.opens, made.closes) == (Side.SELL, 5, False, True)


def test_a_holding_promised_to_other_orders_is_not_turned() -> None:
    held = position(5, 500, reserved_quantity=d(2))
    made = entry(-1, held=held, **BOTH)
    assert (made.quantity, made.opens) == (3, False)


def test_units_that_the_exits_hold_are_free_for_closing() -> None:
    held = position(5, 500, reserved_quantity=d(5))
    assert wanted(-1, held) is None
    assert entry(-1, held=held, promised=5).quantity == 5


@pytest.mark.parametrize(
    ("terms", "quantity"),
    [
        ({"sizing": "fixed_quantity", "quantity": d(7)}, "7"),
        ({"sizing": "fixed_quantity", "quantity": d(700)}, "99.5"),
        ({"sizing": "fixed_notional", "notional": d(1234)}, "12"),
        # 10,000 * 1 % may be lost over 5 % of the price: 2,000, or 20 units.
        ({"sizing": "risk", "risk_fraction": d("0.01"), "stop_loss_percent": d(5)}, "20"),
        # 1 % over 0.1 % would be ten times the equity; the fraction caps it.
        ({"sizing": "risk", "risk_fraction": d("0.01"), "stop_loss_percent": d("0.1")}, "30"),
        ({"sizing": "risk", "risk_fraction": d("0.01")}, "30"),
    ],
)
def test_sizes_follow_the_policy(terms: dict[str, Any], quantity: str) -> None:
    assert entry(target_fraction=d("0.3"), **terms).quantity == d(quantity)


def test_a_signal_may_ask_for_a_part_of_the_size() -> None:
    assert entry(hints={"size": d("0.5")}).quantity == 5


def test_at_the_next_bar_an_entry_is_sized_by_worth_unless_it_is_by_units() -> None:
    owner = {"fill_model": NEXT}
    assert entry(owner=owner).notional == 1000
    assert entry(owner=owner, sizing="fixed_quantity", quantity=d(7)).notional is None
    assert entry(owner=owner, entry="limit").notional is None
    assert entry().notional is None


@pytest.mark.parametrize(
    ("score", "stop", "target"), [(1, "95.00", "110.00"), (-1, "105.00", "90.00")]
)
def test_exits_stand_around_the_entry(score: int, stop: str, target: str) -> None:
    exits = entry(score, stop_loss_percent=d(5), take_profit_percent=d(10), **BOTH).exits
    assert (exits.stop_price, exits.take_profit) == (d(stop), d(target))


def test_a_signal_says_better_than_the_policy_where_to_leave() -> None:
    hints = {"stop_distance": d("0.02"), "target_distance": d("0.03")}
    exits = entry(hints=hints, trail_percent=d(5), take_profit_percent=d(10)).exits
    assert (exits.stop_price, exits.trail_percent, exits.take_profit) == (98, None, 103)


def test_without_a_stop_at_a_price_the_trailing_one_is_used() -> None:
    exits = entry(trail_percent=d(5)).exits
    assert (exits.stop_price, exits.trail_percent) == (None, 5)


def test_an_exit_that_would_be_at_nothing_is_left_out() -> None:
    assert entry(-1, take_profit_percent=d(100), **BOTH).exits.take_profit is None


@pytest.mark.parametrize(
    ("kind", "score", "at"),
    [("limit", 1, "99.5"), ("limit", -1, "100.5"), ("stop", 1, "100.5"), ("stop", -1, "99.5")],
)
def test_an_entry_may_wait_for_a_better_or_a_confirmed_price(
    kind: str, score: int, at: str
) -> None:
    made = entry(score, entry=kind, entry_offset_bps=d(50), **BOTH)
    assert (made.type, made.price) == (OrderType(kind), d(at))


def test_an_order_that_turns_goes_to_the_market_whatever_entries_do() -> None:
    made = entry(-1, held=position(5, 500), entry="limit", entry_offset_bps=d(50), **BOTH)
    assert (made.type, made.price) == (OrderType.MARKET, None)


@pytest.mark.parametrize("sizing", ["fixed_quantity", "fixed_notional", "risk"])
def test_a_sizing_without_its_size_is_refused(sizing: str) -> None:
    with pytest.raises(ValueError, match="is needed for sizing"):
        AllocationPolicy(sizing=sizing)


def test_a_size_hint_scales_a_fixed_notional_too() -> None:
    terms = {"sizing": "fixed_notional", "notional": d(1000)}
    assert entry(**terms).quantity == 10
    assert entry(**terms, hints={"size": d("0.5")}).quantity == 5
