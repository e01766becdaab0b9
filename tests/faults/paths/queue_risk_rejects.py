"""A recommendation that fitted when it was made and no longer does when it is executed."""

from collections import Counter

from tests.support.faults_path import Delivery, Path
from tests.support.faults_world import World
from tests.support.floor import books, good, open_floor, order


def seed(world: World) -> None:
    open_floor()
    good("POST", "/recommendations", order("60"), key="a")
    good("POST", "/recommendations", order("60"), key="b")


def outcome() -> None:
    states = {r["execution_status"] for r in good("GET", "/recommendations")["items"]}
    assert states == {"executed", "rejected"}
    assert books()["positions"]["ACME"].quantity == 60


PATH = Path(
    "queue: rejected by risk at execution",
    seed,
    Delivery(),
    Counter(GetItem=6, BatchGetItem=2, TransactWriteItems=2),
    outcome,
)
