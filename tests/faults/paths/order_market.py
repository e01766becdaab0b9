"""A market order over HTTPS, filled at once."""

from collections import Counter

from tests.support.faults_path import Path, Request
from tests.support.faults_world import World
from tests.support.floor import books, open_floor, order


def seed(world: World) -> None:
    open_floor()


def outcome() -> None:
    assert books()["positions"]["ACME"].quantity == 10
    assert books()["trades"] == 1


PATH = Path(
    "POST /orders, market",
    seed,
    Request("POST", "/orders", order("10"), key="k"),
    Counter(PutItem=1, BatchGetItem=1, GetItem=1, TransactWriteItems=1, UpdateItem=1),
    outcome,
)
