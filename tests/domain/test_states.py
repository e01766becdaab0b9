"""Orders and recommendations move as their tables say and in no other way."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.domain.builders import NOW, d, order
from trading.domain.errors import IllegalTransition
from trading.domain.order import OPEN_STATUSES, ORDER_MOVES, OrderStatus, OrderType, Side, Via
from trading.domain.recommendation import (
    RECOMMENDATION_MOVES,
    Recommendation,
    RecommendationStatus,
    status_by_order,
)

ORDER, ADVICE = OrderStatus, RecommendationStatus


def recommendation(status: RecommendationStatus) -> Recommendation:
    return Recommendation(
        id="rec_1",
        portfolio_id="p",
        symbol="ACME",
        side=Side.BUY,
        type=OrderType.MARKET,
        quantity=d(1),
        execution_status=status,
        source="test",
        created_at=NOW,
        updated_at=NOW,
        valid_until=datetime(2026, 3, 3, tzinfo=UTC),
        correlation_id="c",
    )


@pytest.mark.parametrize("via", Via)
@pytest.mark.parametrize("to", ORDER)
@pytest.mark.parametrize("start", ORDER)
def test_an_order_moves_only_as_the_table_says(
    start: OrderStatus, to: OrderStatus, via: Via
) -> None:
    at_start = order().model_copy(update={"execution_status": start})
    if ORDER_MOVES[start].get(to) is via:
        assert at_start.moved(to, NOW, via=via).execution_status is to
    else:
        with pytest.raises(IllegalTransition, match=f"is {start} and cannot become {to}"):
            at_start.moved(to, NOW, via=via)


@pytest.mark.parametrize("to", ADVICE)
@pytest.mark.parametrize("start", ADVICE)
def test_a_recommendation_moves_only_as_the_table_says(
    start: RecommendationStatus, to: RecommendationStatus
) -> None:
    if to in RECOMMENDATION_MOVES[start]:
        assert recommendation(start).moved(to, NOW).execution_status is to
    else:
        with pytest.raises(IllegalTransition):
            recommendation(start).moved(to, NOW)


def test_every_state_has_its_row() -> None:
    assert set(ORDER_MOVES) == set(ORDER)
    assert set(RECOMMENDATION_MOVES) == set(ADVICE)


def test_only_filled_and_rejected_orders_never_move_again() -> None:
    assert {s for s, moves in ORDER_MOVES.items() if not moves} == {ORDER.FILLED, ORDER.REJECTED}


def test_a_late_fill_after_a_cancel_is_allowed() -> None:
    for ended in (ORDER.CANCELLED, ORDER.EXPIRED):
        assert ORDER_MOVES[ended] == dict.fromkeys((ended, ORDER.FILLED), Via.LATE_FILL)
    assert ADVICE.EXECUTED in RECOMMENDATION_MOVES[ADVICE.CANCELLED]


@pytest.mark.parametrize(
    ("status", "filled", "expected"),
    [
        (ORDER.FILLED, 1, ADVICE.EXECUTED),
        (ORDER.REJECTED, 0, ADVICE.REJECTED),
        (ORDER.CANCELLED, 0, ADVICE.CANCELLED),
        (ORDER.CANCELLED, 1, ADVICE.PARTIALLY_EXECUTED),
        (ORDER.EXPIRED, 0, ADVICE.EXPIRED),
        (ORDER.ACCEPTED, 0, ADVICE.EXECUTING),
        (ORDER.UNKNOWN, 0, ADVICE.EXECUTING),
        (ORDER.PARTIALLY_FILLED, 1, ADVICE.EXECUTING),
    ],
)
def test_a_recommendation_follows_its_order(
    status: OrderStatus, filled: int, expected: RecommendationStatus
) -> None:
    assert status_by_order(status, d(filled)) is expected


def test_an_unknown_order_is_still_open_and_only_the_venues_word_leads_out() -> None:
    assert ORDER.UNKNOWN in OPEN_STATUSES
    assert set(ORDER_MOVES[ORDER.UNKNOWN].values()) == {Via.RECONCILIATION}
