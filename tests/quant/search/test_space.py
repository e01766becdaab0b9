"""What may be tried, how many that is, and how it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from trading.domain.errors import InvalidInput
from trading.quant.search.space import Space
from trading.quant.strategies.ma_cross import MovingAverageCross


def space(**given: Any) -> Space:
    return Space.read(MovingAverageCross, given)


def test_a_grid_has_every_combination_once() -> None:
    found = space(fast={"range": [5, 15, 5]}, slow=[20, 30, 20])
    assert found.count == 6
    pairs = [(each["fast"], each["slow"]) for each in found.grid()]
    assert pairs == [(5, 20), (5, 30), (10, 20), (10, 30), (15, 20), (15, 30)]


def test_random_draws_are_distinct_and_repeatable() -> None:
    wide = space(fast={"range": [1, 50, 1]}, slow={"values": [60, 70]})
    drawn = wide.drawn(40, seed=3)
    assert len({tuple(each.items()) for each in drawn}) == 40
    assert drawn == wide.drawn(40, seed=3) != wide.drawn(40, seed=4)
    assert len(space(fast=[1, 2]).drawn(40, seed=3)) == 2


def test_a_billion_combinations_are_refused_at_once_with_count_time_and_cost() -> None:
    huge = space(fast={"range": [1, 40_000, 1]}, slow={"range": [1, 25_000, 1]})
    assert huge.count == 10**9
    with pytest.raises(InvalidInput) as refused:
        huge.grid()
    for said in ("1,000,000,000 combinations", "core hours", "US$"):
        assert said in refused.value.detail


@pytest.mark.parametrize(
    ("given", "field", "why"),
    [
        ({}, "space", "empty"),
        ({"fats": [1]}, "space.fats", "did you mean 'fast'"),
        ({"fast": []}, "space.fast", "list of values"),
        ({"fast": 3}, "space.fast", "list of values"),
        ({"fast": {"range": [5, 1, 1]}}, "space.fast.range", "first <= last"),
        ({"fast": {"range": [1, 5, 0]}}, "space.fast.range", "step > 0"),
        ({"fast": {"range": [1, float("inf"), 1]}}, "space.fast.range", "step > 0"),
        ({"fast": {"range": [1, 10**12, 1]}}, "space", "combinations"),
        ({"fast": {"uniform": [2, 1]}}, "space.fast.uniform", "rising"),
        ({"fast": {"uniform": [0, 10**400]}}, "space.fast.uniform", "rising"),
        ({"fast": {"range": [0, 10**400, 1]}}, "space.fast.range", "step > 0"),
        ({"fast": [5, [6]]}, "space.fast.1", "number"),
        ({"fast": [{}]}, "space.fast.0", "number"),
        ({"fast": [None]}, "space.fast.0", "number"),
        ({"fast": [5, "ACME"]}, "space.fast", "not 'ACME'"),
        ({"fast": [5, 1.5]}, "space.fast", "not 1.5"),
    ],
)
def test_what_is_wrong_with_a_space_is_named(given: Any, field: str, why: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Space.read(MovingAverageCross, given)
    assert refused.value.field == field
    assert why in refused.value.detail


def test_a_uniform_range_has_no_grid() -> None:
    with pytest.raises(InvalidInput, match="no grid"):
        space(fast={"uniform": [1, 5]}).grid()
