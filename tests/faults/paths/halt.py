"""The kill switch with orders resting."""

from collections import Counter

from tests.support.faults_path import Path, Request
from tests.support.faults_world import World
from tests.support.floor import books, good, open_floor, order


def seed(world: World) -> None:
    open_floor()
    for number in range(2):
        good("POST", "/orders", order("5", type="limit", limit_price="95"), key=f"k{number}")


def outcome() -> None:
    assert books()["account"].trading_state == "halted"
    assert books()["account"].open_orders == 0


PATH = Path(
    "POST /risk/{pid}/halt, two orders resting",
    seed,
    # How many were cancelled counts those that this very request found.
    Request(
        "POST",
        "/risk/main/halt",
        {"reason": "test"},
        ignored=frozenset({"cancelled_orders"}),
    ),
    Counter(GetItem=3, Query=1, TransactWriteItems=3),
    outcome,
)
