"""A portfolio opened with cash."""

from collections import Counter
from decimal import Decimal

from tests.support.faults_path import Path, Request
from tests.support.faults_world import World
from tests.support.floor import books, open_floor


def seed(world: World) -> None:
    open_floor()


def outcome() -> None:
    assert books("new")["account"].cash == {"USD": Decimal(2500)}
    assert len(books("new")["ledger"]) == 1


PATH = Path(
    "PUT /portfolio/{pid}, opened",
    seed,
    Request("PUT", "/portfolio/new", {"base_currency": "USD", "cash": "2500"}),
    Counter(GetItem=1, TransactWriteItems=1),
    outcome,
)
