"""An order linked to one that rests: both change in one write."""

from collections import Counter

from tests.support.faults_path import Path, Request
from tests.support.faults_world import World
from tests.support.floor import books, good, open_floor, order
from trading.domain.identifiers import derived_id

FIRST = derived_id("ord", "main", "request:testkey:first")
TWIN = order("10", "sell", type="stop", stop_price="90", oco_order_id=FIRST)


def seed(world: World) -> None:
    open_floor()
    good("POST", "/orders", order("10"), key="entry")
    good("POST", "/orders", order("10", "sell", type="limit", limit_price="110"), key="first")


def outcome() -> None:
    assert books()["account"].open_orders == 2
    linked = good("GET", f"/orders/{FIRST}")["oco_id"]
    assert linked == derived_id("ord", "main", "request:testkey:k")


PATH = Path(
    "POST /orders, OCO with a resting one",
    seed,
    Request("POST", "/orders", TWIN, key="k"),
    Counter(PutItem=1, BatchGetItem=1, TransactWriteItems=1, UpdateItem=1),
    outcome,
)
