"""A bracket whose stop is touched: one exit sells, its twin is cancelled with it."""

from collections import Counter
from datetime import timedelta

from tests.faults.paths.bracket_entry import EXITS
from tests.support.faults_path import Path, Schedule
from tests.support.faults_world import World
from tests.support.floor import books, good, open_floor, order, set_price


def seed(world: World) -> None:
    open_floor()
    good("POST", "/orders", order("10", **EXITS), key="k")
    world.wall += timedelta(seconds=10)
    set_price("89")


def outcome() -> None:
    assert books()["positions"]["ACME"].quantity == 0
    states = [o["execution_status"] for o in good("GET", "/orders")["items"]]
    assert sorted(states) == ["cancelled", "filled", "filled"]


PATH = Path(
    "schedule: bracket's stop, twin cancelled",
    seed,
    Schedule("execution"),
    Counter(Query=1, BatchGetItem=1, TransactWriteItems=1),
    outcome,
)
