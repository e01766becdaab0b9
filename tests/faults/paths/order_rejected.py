"""An order over HTTPS that a risk rule rejects; the refusal is an answer like any other."""

from collections import Counter

from tests.support.faults_path import Path, Request
from tests.support.faults_world import World
from tests.support.floor import books, good, open_floor, order


def seed(world: World) -> None:
    open_floor()


def outcome() -> None:
    assert books()["positions"] == {}
    assert good("GET", "/orders")["items"][0]["reason"] == "cash_available"


PATH = Path(
    "POST /orders, rejected by risk",
    seed,
    Request("POST", "/orders", order("1000"), key="k"),
    Counter(PutItem=1, BatchGetItem=1, GetItem=1, TransactWriteItems=1, UpdateItem=1),
    outcome,
)
