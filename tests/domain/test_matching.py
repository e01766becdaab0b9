"""When an order trades, how much, and at what price: in the order in which a venue would."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.domain.builders import ACME, bar, d, later, order, price
from trading.domain.fill_model import FillModel, SlippageModel
from trading.domain.matching import (
    Attempt,
    Observation,
    Phase,
    attempt,
    crosses,
    on_arrival,
    shown_to,
    venue_sequence,
)
from trading.domain.order import Liquidity, Order, OrderType, Side

PLAIN = FillModel()

# (side, limit, market, whether the market is at least as good as the limit)
CASES = [
    (Side.BUY, 100, 101, False),
    (Side.BUY, 100, 100, True),
    (Side.BUY, 100, 95, True),
    (Side.SELL, 100, 99, False),
    (Side.SELL, 100, 100, True),
    (Side.SELL, 100, 105, True),
]


def shown(made: Order, seen: Observation, model: FillModel = PLAIN) -> tuple[Phase, Attempt] | None:
    """The first phase that trades an order or sets it off; its other changes are carried on."""
    for phase, _ in venue_sequence([made], seen):
        found = attempt(made, seen, phase, model, ACME, None)
        if found is not None and (found.price is not None or found.order.triggered):
            return phase, found
        made = found.order if found else made
    return None


def traded_at(made: Order, seen: Observation, model: FillModel = PLAIN) -> Decimal | None:
    found = shown(made, seen, model)
    return found[1].price if found else None


def stop(side: Side, trigger: int, **terms: Any) -> Order:
    kind = OrderType.STOP_LIMIT if "limit_price" in terms else OrderType.STOP
    return order(1, side, type=kind, stop_price=d(trigger), **terms)


def trailing(side: Side, percent: int, peak: int | None = None) -> Order:
    terms = {"trail_percent": d(percent), "trail_peak": None if peak is None else d(peak)}
    return order(1, side, type=OrderType.TRAILING_STOP, **terms)


@pytest.mark.parametrize(("side", "limit", "market", "meets"), CASES)
def test_a_limit_is_never_passed_on_the_wrong_side(
    side: Side, limit: int, market: int, meets: bool
) -> None:
    made = order(1, side, limit)
    assert crosses(made, d(market)) is meets
    arrives = on_arrival(made, price(market), PLAIN, ACME, None)
    assert (arrives.price if arrives else None) == (d(market) if meets else None)
    assert traded_at(made, later(market)) == (d(limit) if meets else None)


@pytest.mark.parametrize("side", Side)
def test_a_market_order_takes_any_price(side: Side) -> None:
    found = on_arrival(order(1, side), price(123), PLAIN, ACME, None)
    assert found is not None
    assert (found.price, found.quantity, found.liquidity) == (123, 1, Liquidity.TAKER)


def test_a_limit_within_a_bar_trades_at_its_limit_as_maker() -> None:
    found = shown(order(1, Side.BUY, 95), bar(low=94, high=105, opens=100, closes=103))
    assert found is not None
    assert (found[0], found[1].price, found[1].liquidity) == (Phase.LIMITS, 95, Liquidity.MAKER)


def test_a_bar_that_does_not_reach_the_limit_leaves_it() -> None:
    assert traded_at(order(1, Side.BUY, 95), bar(96, 105, 100, 103)) is None
    assert traded_at(order(1, Side.SELL, 106), bar(96, 105, 100, 103)) is None


@pytest.mark.parametrize(
    ("side", "trigger", "seen", "expected"),
    [
        (Side.SELL, 95, bar(94, 105, 100, 103), 95),
        (Side.SELL, 95, bar(88, 92, 90, 91), 90),  # a gap through the stop
        (Side.SELL, 95, bar(96, 105, 100, 103), None),
        (Side.BUY, 105, bar(95, 106, 100, 103), 105),
        (Side.BUY, 105, bar(108, 112, 110, 111), 110),
        (Side.BUY, 105, bar(95, 104, 100, 103), None),
    ],
)
def test_a_stop_trades_at_its_trigger_or_at_the_gap(
    side: Side, trigger: int, seen: Observation, expected: int | None
) -> None:
    assert traded_at(stop(side, trigger), seen) == expected


def test_stops_come_before_limits_within_a_bar_and_after_what_the_open_trades() -> None:
    target, loss = order(1, Side.SELL, 110, "ord_t"), stop(Side.SELL, 95, identifier="ord_s")
    both = [
        (phase, name)
        for phase, name in venue_sequence([target, loss], bar(90, 115, 100, 100))
        if attempt(
            {"ord_t": target, "ord_s": loss}[name], bar(90, 115, 100, 100), phase, PLAIN, ACME, None
        )
    ]
    assert both == [(Phase.STOPS, "ord_s"), (Phase.LIMITS, "ord_t")]
    gap = bar(90, 115, 112, 100)
    assert shown(target, gap) == (
        Phase.OPEN,
        Attempt(order=target, price=d(110), quantity=d(1), liquidity=Liquidity.MAKER, at_open=True),
    )


def test_the_better_limit_comes_first_then_the_older_order() -> None:
    low, high = order(1, Side.BUY, 94, "ord_a"), order(1, Side.BUY, 96, "ord_b")
    twin = order(1, Side.BUY, 96, "ord_c")
    queue = [name for phase, name in venue_sequence([low, twin, high], bar(90, 99, 98, 97))]
    assert queue[-3:] == ["ord_b", "ord_c", "ord_a"]


def test_a_stop_limit_works_on_as_a_limit_once_it_has_gone_off() -> None:
    made = stop(Side.SELL, 95, limit_price=94)
    assert traded_at(made, bar(90, 105, 100, 92)) == 95
    gapped = shown(made, bar(88, 92, 90, 91))
    assert gapped is not None
    assert (gapped[1].price, gapped[1].order.triggered) == (None, True)
    assert traded_at(gapped[1].order, bar(90, 99, 93, 98)) == 94


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (bar(97, 120, 100, 119), None),  # 5 % below 120 is 114, which the close is above
        (bar(97, 120, 100, 110), 114),  # the close is certain to come after the high
        (bar(94, 120, 100, 119), 95),  # pessimistically the low came before the high
        (bar(80, 90, 85, 88), 85),  # a gap through the stop
    ],
)
def test_a_trailing_stop_sees_the_worst_of_a_bar_first(
    seen: Observation, expected: int | None
) -> None:
    assert traded_at(trailing(Side.SELL, 5, 100), seen) == expected


def test_a_trailing_stop_carries_the_best_price_on() -> None:
    made = trailing(Side.SELL, 5, 100)
    found = attempt(made, bar(97, 120, 100, 119), Phase.CLOSE, PLAIN, ACME, None)
    assert found is not None
    assert (found.order.trail_peak, found.order.stop_trigger, found.price) == (120, 114, None)
    mirrored = attempt(
        trailing(Side.BUY, 5, 100), bar(80, 103, 100, 81), Phase.CLOSE, PLAIN, ACME, None
    )
    assert mirrored is not None
    assert (mirrored.order.trail_peak, mirrored.order.stop_trigger) == (80, 84)


def test_of_a_bar_that_began_before_the_order_only_the_close_counts() -> None:
    made = order(1, Side.BUY, 95).model_copy(
        update={"matched_until": bar(90, 105, 100, 103).start.replace(second=30)}
    )
    part = shown_to(made, bar(90, 105, 100, 103))
    assert part is not None
    assert (part.low, part.high, part.is_point) == (103, 103, True)
    assert shown_to(made, later(90)) is None


def test_takers_pay_the_spread_and_the_slippage_rounded_against_them() -> None:
    model = FillModel(spread_bps=d(10), slippage=SlippageModel.FIXED, slippage_bps=d(5))
    bought = on_arrival(order(1), price(100), model, ACME, None)
    sold = on_arrival(order(1, Side.SELL), price(100), model, ACME, None)
    assert bought is not None
    assert sold is not None
    # 100 x 1.0005 x 1.0005 = 100.100025 and 100 x 0.9995 x 0.9995 = 99.900025
    assert (bought.price, sold.price) == (d("100.11"), d("99.90"))


def test_slippage_grows_with_the_square_of_the_share_in_the_volume() -> None:
    model = FillModel(slippage=SlippageModel.VOLUME_SHARE, slippage_bps=d(1000))
    seen = price(100).model_copy(update={"volume": d(10)})
    tenth, half = (on_arrival(order(quantity), seen, model, ACME, None) for quantity in (1, 5))
    assert tenth is not None
    assert half is not None
    assert (tenth.price, half.price) == (d("100.1"), d("102.5"))


def test_a_limit_waits_for_the_ask_and_never_pays_more_than_its_limit() -> None:
    model = FillModel(spread_bps=d(100), slippage=SlippageModel.FIXED, slippage_bps=d(100))
    assert on_arrival(order(1, Side.BUY, 100), price(100), model, ACME, None) is None
    found = on_arrival(order(1, Side.BUY, 101), price(100), model, ACME, None)
    assert found is not None
    assert found.price == 101
    assert traded_at(order(1, Side.BUY, 95), bar(95, 105, 100, 103), model) is None


def test_no_more_than_the_room_left_is_traded() -> None:
    found = on_arrival(order(5), price(100), PLAIN, ACME, d(2))
    assert found is not None
    assert found.quantity == 2
    assert on_arrival(order(5), price(100), PLAIN, ACME, d(0)) is None
    model = FillModel(participation_rate=d("0.1"))
    assert model.room(d(27), d(0), d("0.5")) == d("2.5")
    assert model.room(d(27), d(2), d("0.5")) == d("0.5")
    assert model.room(None, d(0), d("0.5")) is None
