"""Money paid in."""

from collections import Counter
from decimal import Decimal

from tests.support.faults_path import Path, Request
from tests.support.faults_world import World
from tests.support.floor import books, open_floor


def seed(world: World) -> None:
    open_floor()


def outcome() -> None:
    assert books()["account"].cash == {"USD": Decimal(10500)}


BODY = {"type": "deposit", "currency": "USD", "amount": "500"}
PATH = Path(
    "POST /portfolio/{pid}/holdings/update",
    seed,
    Request("POST", "/portfolio/main/holdings/update", BODY, key="k"),
    Counter(PutItem=1, GetItem=2, Query=1, TransactWriteItems=1, UpdateItem=1),
    outcome,
)
