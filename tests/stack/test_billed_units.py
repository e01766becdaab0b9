"""What an order costs does not depend on how many there were before it.

Exact and untimed: units are counted from the items that the real handlers read and write on the
emulator (``benchmarks/tariff.py`` has AWS's rules, ``benchmarks/meter.py`` does the counting), and
the capacity that the emulator reports is held to the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pytest

from benchmarks.billed_units import platform
from benchmarks.meter import Units, Work
from benchmarks.tariff import item_size, read_units, write_units

pytestmark = pytest.mark.stack

PAST = (10, 100, 1000)
INDEX = [("portfolio_pk", "portfolio_sk")]


@dataclass(frozen=True)
class Costs:
    """Units of one order of each kind after some number of past orders."""

    by_request: Work
    to_queue: Work
    from_queue: Work


@pytest.fixture(scope="module")
def costs() -> dict[int, Costs]:
    found = {}
    with platform() as running:
        for count in PAST:
            running.past_orders(count)
            assert running.past == count
            by_request = running.order()
            found[count] = Costs(by_request, *running.recommended_order())
    return found


def test_an_order_by_request_costs_the_same_after_10_100_and_1000_orders(
    costs: dict[int, Costs],
) -> None:
    first = costs[PAST[0]].by_request
    assert first.units == Units(Decimal(7), Decimal(24), 0, first.units.reported)
    assert [costs[n].by_request.units for n in PAST] == [first.units] * len(PAST)
    assert [costs[n].by_request.calls for n in PAST] == [first.calls] * len(PAST)


def test_an_order_by_recommendation_costs_the_same_after_10_100_and_1000_orders(
    costs: dict[int, Costs],
) -> None:
    first = costs[PAST[0]]
    both = first.to_queue.units + first.from_queue.units
    assert both == Units(Decimal(19), Decimal(58), 3, both.reported)
    for part in ("to_queue", "from_queue"):
        works = [getattr(costs[n], part) for n in PAST]
        assert [work.units for work in works] == [works[0].units] * len(PAST)
        assert [work.calls for work in works] == [works[0].calls] * len(PAST)


def test_an_executed_order_is_one_transaction(costs: dict[int, Costs]) -> None:
    for count in PAST:
        assert costs[count].by_request.calls.count("TransactWriteItems") == 1
        assert costs[count].from_queue.calls.count("TransactWriteItems") == 1


def text(length: int) -> dict[str, dict[str, str]]:
    return {"t": {"S": "x" * (length - 1)}}


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"pk": {"S": "é"}}, 4),
        ({"n": {"N": "12345"}}, 1 + 4),
        ({"n": {"N": "-100"}}, 1 + 3),
        ({"b": {"BOOL": True}, "z": {"NULL": True}}, 4),
        ({"m": {"M": {"a": {"S": "b"}}}}, 1 + 3 + 1 + 2),
        ({"l": {"L": [{"S": "ab"}, {"S": "c"}]}}, 1 + 3 + 2 + 3),
    ],
)
def test_an_item_is_as_long_as_its_names_and_values(item: dict[str, object], size: int) -> None:
    assert item_size(item) == size


@pytest.mark.parametrize(
    ("size", "consistent", "units"),
    [(0, True, "1"), (4096, True, "1"), (4097, True, "2"), (4097, False, "1"), (9, False, "0.5")],
)
def test_a_read_costs_a_unit_for_four_kilobytes_begun(
    size: int, consistent: bool, units: str
) -> None:
    assert read_units(size, consistent=consistent) == Decimal(units)


@pytest.mark.parametrize(("size", "units"), [(1024, 1), (1025, 2)])
def test_a_write_costs_a_unit_for_a_kilobyte_begun_and_twice_that_in_a_transaction(
    size: int, units: int
) -> None:
    assert write_units(None, text(size), [], transactional=False) == units
    assert write_units(None, text(size), [], transactional=True) == 2 * units
    assert write_units(text(size), text(9), [], transactional=False) == units


def test_an_index_costs_where_its_entry_changes() -> None:
    bare = {"pk": {"S": "1"}}
    listed = {**bare, "portfolio_pk": {"S": "p"}, "portfolio_sk": {"S": "1"}}
    moved = {**listed, "portfolio_sk": {"S": "2"}}
    changed = {**listed, "note": {"S": "n"}}

    def cost(before: dict[str, object] | None, after: dict[str, object] | None) -> Decimal:
        return write_units(before, after, INDEX, transactional=False)

    assert cost(None, bare) == 1
    assert cost(None, listed) == cost(listed, None) == cost(listed, changed) == 2
    assert cost(listed, listed) == 1
    assert cost(listed, moved) == 3
