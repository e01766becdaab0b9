"""A limit order over HTTPS that rests."""

from collections import Counter

from tests.support.faults_path import Path, Request
from tests.support.faults_world import World
from tests.support.floor import books, open_floor, order


def seed(world: World) -> None:
    open_floor()


def outcome() -> None:
    assert books()["account"].open_orders == 1
    assert books()["account"].reserved


PATH = Path(
    "POST /orders, limit that rests",
    seed,
    Request("POST", "/orders", order("10", type="limit", limit_price="95"), key="k"),
    Counter(PutItem=1, BatchGetItem=1, GetItem=1, TransactWriteItems=1, UpdateItem=1),
    outcome,
)
