"""Resting orders whose price has come, filled by the schedule."""

from collections import Counter
from datetime import timedelta

from tests.support.faults_path import Path, Schedule
from tests.support.faults_world import World
from tests.support.floor import books, good, open_floor, order, set_price


def seed(world: World) -> None:
    open_floor()
    for number, price in enumerate(("95", "96")):
        good("POST", "/orders", order("10", type="limit", limit_price=price), key=f"k{number}")
    world.wall += timedelta(seconds=10)
    set_price("94")


def outcome() -> None:
    assert books()["positions"]["ACME"].quantity == 20
    assert books()["account"].reserved == {}


PATH = Path(
    "schedule: resting orders filled",
    seed,
    Schedule("execution"),
    Counter(Query=1, GetItem=2, TransactWriteItems=2),
    outcome,
)
