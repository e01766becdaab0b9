"""A stop whose price has come: one exit, however it is seen."""

from collections import Counter
from datetime import timedelta

from tests.support.faults_path import Path, Schedule
from tests.support.faults_world import World
from tests.support.floor import books, good, open_floor, place, set_price

STOP = {"id": "floor", "symbol": "ACME", "kind": "fixed", "price": "90"}


def seed(world: World) -> None:
    open_floor()
    place("10", key="k")
    good("PUT", "/risk/main/stops", {"stops": [STOP]})
    world.wall += timedelta(seconds=10)
    set_price("89")


def outcome() -> None:
    assert books()["positions"]["ACME"].quantity == 0
    assert len(good("GET", "/orders")["items"]) == 2


PATH = Path(
    "schedule: stop triggered, exit sold",
    seed,
    Schedule("risk"),
    Counter(Query=2, GetItem=2, TransactWriteItems=3, SendMessageBatch=1),
    outcome,
)
