"""A stop, a stop-limit and a trailing stop order that one price sets off."""

from collections import Counter
from datetime import timedelta

from tests.support.faults_path import Path, Schedule
from tests.support.faults_world import World
from tests.support.floor import books, good, open_floor, order, set_price

STOPS = (
    {"type": "stop", "stop_price": "95"},
    {"type": "stop_limit", "stop_price": "94", "limit_price": "90"},
    {"type": "trailing_stop", "trail_percent": "5"},
)


def seed(world: World) -> None:
    open_floor()
    good("POST", "/orders", order("30"), key="entry")
    for number, terms in enumerate(STOPS):
        good("POST", "/orders", order("10", "sell", **terms), key=f"k{number}")
    world.wall += timedelta(seconds=10)
    set_price("92")


def outcome() -> None:
    assert books()["positions"]["ACME"].quantity == 0
    assert books()["account"].open_orders == 0


PATH = Path(
    "schedule: stop, stop-limit and trailing stop",
    seed,
    Schedule("execution"),
    Counter(Query=1, BatchGetItem=3, TransactWriteItems=3),
    outcome,
)
