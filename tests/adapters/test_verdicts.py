"""Verdicts are stored packed, and read back to the last digit and sentence."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.domain.world import World
from trading.adapters.dynamodb.codec import decode, encode, from_attributes, to_attributes
from trading.adapters.dynamodb.verdicts import pack, unpack
from trading.domain.risk.engine import Decision
from trading.domain.risk.result import RuleResult

AMOUNTS = st.none() | st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20
)


@given(st.lists(st.tuples(st.text(), st.booleans(), AMOUNTS, AMOUNTS, st.text()), max_size=5))
def test_results_of_any_content_survive(
    rows: list[tuple[str, bool, Decimal | None, Decimal | None, str]],
) -> None:
    results = [RuleResult(*row) for row in rows]
    assert unpack(pack(results)) == [result.as_dict() for result in results]


def test_a_decision_is_read_back_as_it_was_made_in_a_fraction_of_its_size() -> None:
    world = World()
    world.ask(4)
    (made,) = world.decisions
    item = to_attributes(encode(made))
    stored = decode(Decision, from_attributes(item))
    assert [r.as_dict() for r in stored.results] == [r.as_dict() for r in made.results]
    assert stored.passed == made.passed
    sentences = sum(len(result.message) for result in made.results)
    assert len(item["results"]["B"]) < sentences
