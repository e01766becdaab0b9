"""A recommendation made by hand: judged, saved in the outbox, sent, noted as sent."""

from collections import Counter

from tests.support.faults_path import Path, Request
from tests.support.faults_world import World
from tests.support.floor import books, good, open_floor, order


def seed(world: World) -> None:
    open_floor()


def outcome() -> None:
    assert books()["positions"]["ACME"].quantity == 10
    assert good("GET", "/recommendations")["items"][0]["execution_status"] == "executed"


PATH = Path(
    "POST /recommendations, outbox, queue, fill",
    seed,
    # What it says about itself depends on how far the queue has brought it by then.
    Request(
        "POST",
        "/recommendations",
        order("10"),
        key="k",
        ignored=frozenset({"execution_status", "status", "order_id", "reason"}),
    ),
    Counter(PutItem=1, BatchGetItem=1, TransactWriteItems=2, SendMessageBatch=1, UpdateItem=1),
    outcome,
)
