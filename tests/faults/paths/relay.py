"""The relay, sending what somebody saved and then died before sending."""

from collections import Counter

from tests.support.faults_path import Path, Schedule
from tests.support.faults_seeds import leave_in_outbox
from tests.support.faults_world import World
from tests.support.floor import books, open_floor


def seed(world: World) -> None:
    open_floor()
    open_floor("second")
    leave_in_outbox("a", quantity="10")
    leave_in_outbox("b", quantity="5")
    leave_in_outbox("c", quantity="7", portfolio_id="second")


def outcome() -> None:
    assert books()["positions"]["ACME"].quantity == 15
    assert books("second")["positions"]["ACME"].quantity == 7


PATH = Path(
    "schedule: outbox relayed",
    seed,
    Schedule("recommendations", "on_relay"),
    Counter(Query=1, SendMessageBatch=1, TransactWriteItems=3),
    outcome,
)
