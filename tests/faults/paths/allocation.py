"""A move to target weights: recommendations, sent together."""

from collections import Counter

from tests.support.faults_path import Path, Request
from tests.support.faults_world import World
from tests.support.floor import INSTRUMENT, books, good, open_floor, place


def seed(world: World) -> None:
    open_floor()
    good("PUT", "/market/instruments/OTHER", INSTRUMENT | {"base_currency": "OTHER"})
    good("POST", "/market/prices", {"prices": [{"symbol": "OTHER", "price": "50"}]})
    place("40", key="k")


def outcome() -> None:
    held = {s: p.quantity for s, p in books()["positions"].items()}
    assert set(held) == {"ACME", "OTHER"}
    assert held["ACME"] < 40
    assert held["OTHER"] > 0


BODY = {"weights": {"ACME": "0.2", "OTHER": "0.3"}, "dry_run": False}
PATH = Path(
    "POST /portfolio/{pid}/allocation",
    seed,
    Request(
        "POST",
        "/portfolio/main/allocation",
        BODY,
        key="k",
        # What it shows is how far the queue has brought each by then.
        ignored=frozenset({"orders", "recommendations"}),
    ),
    Counter(PutItem=1, BatchGetItem=2, TransactWriteItems=4, SendMessageBatch=1, UpdateItem=1),
    outcome,
)
