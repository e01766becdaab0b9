"""A resting order that its owner cancels."""

from collections import Counter

from tests.support.faults_path import Path, Request
from tests.support.faults_world import World
from tests.support.floor import books, good, open_floor, order
from trading.domain.identifiers import derived_id

ORDER_ID = derived_id("ord", "main", "request:testkey:k")


def seed(world: World) -> None:
    open_floor()
    made = good("POST", "/orders", order("10", type="limit", limit_price="95"), key="k")
    assert made["id"] == ORDER_ID


def outcome() -> None:
    assert books()["account"].open_orders == 0
    assert books()["account"].reserved == {}
    assert good("GET", f"/orders/{ORDER_ID}")["execution_status"] == "cancelled"


PATH = Path(
    "DELETE /orders/{id}",
    seed,
    Request("DELETE", f"/orders/{ORDER_ID}"),
    Counter(GetItem=2, BatchGetItem=1, TransactWriteItems=1),
    outcome,
)
