"""A recommendation that comes out of the queue after its valid_until."""

from collections import Counter
from datetime import timedelta

from tests.support.faults_path import Delivery, Path
from tests.support.faults_world import World
from tests.support.floor import books, good, open_floor, order


def seed(world: World) -> None:
    open_floor()
    until = (world.wall + timedelta(minutes=1)).isoformat()
    good("POST", "/recommendations", order("10") | {"valid_until": until}, key="a")
    world.wall += timedelta(minutes=2)


def outcome() -> None:
    assert good("GET", "/recommendations")["items"][0]["execution_status"] == "expired"
    assert books()["positions"] == {}


PATH = Path(
    "queue: expired at valid_until",
    seed,
    Delivery(),
    Counter(GetItem=2, TransactWriteItems=1),
    outcome,
)
