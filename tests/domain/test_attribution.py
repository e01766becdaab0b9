"""Units stay with whose orders opened them; the parts always make the whole."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.domain.builders import NOW, d
from trading.domain.attribution import attributed, shares_of, sources_of
from trading.domain.order import Side
from trading.domain.position import Position
from trading.domain.recommendation import Contribution, Recommendation

TRADES = st.lists(
    st.tuples(st.integers(-50, 50), st.sampled_from(["trend", "value", None])),
    min_size=1,
    max_size=20,
)


def trade(position: Position, units: int, whose: str | None) -> Position:
    after = position.model_copy(update={"quantity": position.quantity + units})
    return attributed(position, after, {whose: Decimal(1)} if whose else None)


@given(TRADES)
def test_the_parts_make_the_whole_and_lie_on_its_side(trades: list[tuple[int, str | None]]) -> None:
    position = Position(symbol="ACME", currency="USD")
    for units, whose in trades:
        position = trade(position, units, whose)
        parts = sources_of(position)
        assert abs(sum(parts.values()) - position.quantity) < d("0.000001")
        assert all(part * position.quantity >= 0 for part in parts.values())


def test_what_leaves_leaves_everybodys_part_in_proportion_and_a_turn_begins_anew() -> None:
    position = Position(symbol="ACME", currency="USD")
    for units, whose in ((30, "trend"), (10, "value"), (-20, "value")):
        position = trade(position, units, whose)
    assert position.sources == {"trend": d(15), "value": d(5)}
    assert trade(position, -25, "value").sources == {"value": d(-5)}
    assert trade(position, -20, "value").sources is None


def recommendation(source: str, *parts: tuple[str, str, str]) -> Recommendation:
    said = [
        Contribution(signal_id=n, source="s", strategy=n, score=d(score), weight=d(weight))
        for n, score, weight in parts
    ]
    return Recommendation(
        id="r", portfolio_id="p", symbol="ACME", side=Side.BUY, quantity=d(1), source=source,
        contributions=said, created_at=NOW, updated_at=NOW, valid_until=NOW, correlation_id="c",
    )  # fmt: skip


def test_a_signals_order_is_its_strategies_by_weight_times_score() -> None:
    found = shares_of(
        recommendation("signals", ("trend", "0.9", "1"), ("value", "0.1", "3"), ("bear", "-1", "1"))
    )
    assert found == {"trend": d("0.75"), "value": d("0.25")}
    assert shares_of(recommendation("stop:floor")) == {"stop": 1}
    assert shares_of(recommendation("allocation")) == {"allocation": 1}
