"""A batch from the queue with recommendations of several portfolios."""

from collections import Counter

from tests.support.faults_path import Delivery, Path
from tests.support.faults_world import World
from tests.support.floor import books, good, open_floor, order


def seed(world: World) -> None:
    open_floor()
    open_floor("second")
    good("POST", "/recommendations", order("10"), key="a")
    good("POST", "/recommendations", order("4", "sell"), key="early")
    good("POST", "/recommendations", order("7", portfolio_id="second"), key="b")
    good("POST", "/recommendations", order("5"), key="c")


def outcome() -> None:
    assert books()["positions"]["ACME"].quantity == 15
    assert books("second")["positions"]["ACME"].quantity == 7


PATH = Path(
    "queue: batch of several portfolios",
    seed,
    Delivery(),
    Counter(GetItem=9, BatchGetItem=3, TransactWriteItems=3),
    outcome,
)
