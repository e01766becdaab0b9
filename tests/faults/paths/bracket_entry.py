"""A bracket's entry over HTTPS: it fills, and its two exits come to rest with it."""

from collections import Counter

from tests.support.faults_path import Path, Request
from tests.support.faults_world import World
from tests.support.floor import books, good, open_floor, order

EXITS = {"take_profit": {"limit_price": "110"}, "stop_loss": {"stop_price": "90"}}


def seed(world: World) -> None:
    open_floor()


def outcome() -> None:
    assert books()["positions"]["ACME"].quantity == 10
    states = [o["execution_status"] for o in good("GET", "/orders")["items"]]
    assert sorted(states) == ["accepted", "accepted", "filled"]


PATH = Path(
    "POST /orders, bracket",
    seed,
    Request("POST", "/orders", order("10", **EXITS), key="k"),
    Counter(PutItem=1, BatchGetItem=1, TransactWriteItems=1, UpdateItem=1),
    outcome,
)
