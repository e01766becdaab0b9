"""What an order costs does not depend on how many there were before it.

Exact and untimed: units are counted from the items that the real handlers read and write on the
emulator (``benchmarks/tariff.py`` has AWS's rules, ``benchmarks/meter.py`` does the counting), and
the capacity that the emulator reports is held to the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pytest

from benchmarks.billed_units import LIMITS
from benchmarks.billed_units import by_positions as by_positions_of
from benchmarks.floor import platform
from benchmarks.meter import Units, Work
from benchmarks.order_kinds import KINDS, measured
from benchmarks.tariff import item_size, read_units, write_units

pytestmark = pytest.mark.stack

PAST = (10, 100, 1000)
POSITIONS = (10, 100, 1000)
INDEX = [("portfolio_pk", "portfolio_sk")]


@dataclass(frozen=True)
class Found:
    """What was measured on one emulator: by past orders, and by limits and positions."""

    by_past: dict[int, Costs]
    by_positions: dict[tuple[str, int], Work]


@dataclass(frozen=True)
class Costs:
    """Units of one order of each kind after some number of past orders."""

    by_request: Work
    to_queue: Work
    from_queue: Work
    by_kind: dict[str, list[tuple[str, Work]]]


@pytest.fixture(scope="module")
def found() -> Found:
    by_past = {}
    with platform() as running:
        for count in PAST:
            running.past_orders(count)
            assert running.past == count
            by_request = running.order()
            to_queue, from_queue = running.recommended_order()
            kinds = {kind.name: list(measured(running, kind)) for kind in KINDS}
            by_past[count] = Costs(by_request, to_queue, from_queue, kinds)
        by_positions = {
            (limits, count): by_positions_of(running, count, limits)
            for limits in LIMITS
            for count in POSITIONS
        }
    return Found(by_past, by_positions)


@pytest.fixture
def costs(found: Found) -> dict[int, Costs]:
    return found.by_past


def test_an_order_by_request_costs_the_same_after_10_100_and_1000_orders(
    costs: dict[int, Costs],
) -> None:
    first = costs[PAST[0]].by_request
    assert first.units == Units(Decimal(7), Decimal(25), 0, first.units.reported)
    assert [costs[n].by_request.units for n in PAST] == [first.units] * len(PAST)
    assert [costs[n].by_request.calls for n in PAST] == [first.calls] * len(PAST)


def test_an_order_by_recommendation_costs_the_same_after_10_100_and_1000_orders(
    costs: dict[int, Costs],
) -> None:
    first = costs[PAST[0]]
    both = first.to_queue.units + first.from_queue.units
    assert both == Units(Decimal(18), Decimal(60), 3, both.reported)
    for part in ("to_queue", "from_queue"):
        works = [getattr(costs[n], part) for n in PAST]
        assert [work.units for work in works] == [works[0].units] * len(PAST)
        assert [work.calls for work in works] == [works[0].calls] * len(PAST)


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_every_kind_of_order_costs_the_same_after_10_100_and_1000_orders(
    costs: dict[int, Costs], kind: str
) -> None:
    runs = [[(step, w.units, w.calls) for step, w in costs[n].by_kind[kind]] for n in PAST]
    assert runs[0]
    assert runs == [runs[0]] * len(PAST)


def test_under_limits_on_its_own_position_an_order_costs_the_same_with_1000_others(
    found: Found,
) -> None:
    own = [found.by_positions["own position", count] for count in POSITIONS]
    assert own[0].units == Units(Decimal(7), Decimal(25), 0, own[0].units.reported)
    assert [work.units for work in own] == [own[0].units] * len(own)
    assert [work.calls for work in own] == [own[0].calls] * len(own)


@pytest.mark.parametrize("count", POSITIONS)
def test_under_limits_of_equity_every_other_position_costs_a_read_and_no_write(
    found: Found, count: int
) -> None:
    own, all_of_them = (found.by_positions[limits, count] for limits in LIMITS)
    assert all_of_them.units.writes == own.units.writes
    # A read for the price of each other one, and the positions themselves by the 4 KB.
    assert count - 1 <= all_of_them.units.reads - own.units.reads <= Decimal("1.2") * count


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
        ({"packed": {"B": b"123"}}, 6 + 3),
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
