"""What was sent and never acted on ends by itself, on its portfolio's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from recommendations.handler import on_relay
from tests.support.floor import books, call, drain, good, open_floor, order, set_price
from tests.support.http import Context
from trading import bootstrap
from trading.adapters.sqs.execution_queue import SqsExecutionQueue
from trading.domain.errors import Unavailable
from trading.settings import settings

NOTHING = {"sent": 0, "unsent": 0, "expired": 0}


@pytest.fixture(autouse=True)
def floor(account: None) -> None:
    open_floor()


def recommend(key: str, portfolio_id: str = "main") -> dict[str, Any]:
    body = order() | {"portfolio_id": portfolio_id}
    made: dict[str, Any] = good("POST", "/recommendations", body, key=key)
    return made


def lose_messages() -> None:
    """What the queue does with a message that failed too often."""
    bootstrap.queue_client().purge_queue(QueueUrl=settings().execution_queue_url)


def later(patch: pytest.MonkeyPatch) -> None:
    """Two hours on, past every recommendation's time."""
    moment = datetime.now(UTC) + timedelta(hours=2)
    patch.setattr(bootstrap, "wall_clock", lambda: moment)


def relay() -> dict[str, int]:
    counts: dict[str, int] = on_relay({}, Context())
    return counts


def status(made: dict[str, Any]) -> tuple[str, str | None]:
    found = good("GET", f"/recommendations/{made['id']}")
    return found["execution_status"], found["reason"]


def test_one_whose_message_was_lost_expires_once_and_frees_its_symbol(
    environment: pytest.MonkeyPatch,
) -> None:
    from trading.desk import desk

    made = recommend("a")
    lose_messages()
    assert relay() == NOTHING
    later(environment)
    assert [r.symbol for r in desk().recommendations.unfinished("main")] == ["ACME"]
    assert relay() == NOTHING | {"expired": 1}
    assert status(made) == ("expired", "valid_until had passed before it could trade")
    assert desk().recommendations.unfinished("main") == []
    assert relay() == NOTHING


def test_one_that_was_never_sent_expires_unsent(environment: pytest.MonkeyPatch) -> None:
    def dead(*_: Any) -> list[str]:
        raise Unavailable("no queue")

    with environment.context() as patch:
        patch.setattr(SqsExecutionQueue, "send", dead)
        call("POST", "/recommendations", order(), key="a")
    later(environment)
    assert relay() == NOTHING | {"expired": 1}
    assert drain() == {"batchItemFailures": []}


def test_a_message_redriven_after_that_does_not_trade(environment: pytest.MonkeyPatch) -> None:
    made = recommend("a")
    later(environment)
    set_price("100")
    assert relay()["expired"] == 1
    drain()
    assert status(made)[0] == "expired"
    assert books()["positions"] == {}


def test_each_portfolios_own_clock_decides(environment: pytest.MonkeyPatch) -> None:
    open_floor("history", clock="market")
    first, second = recommend("a"), recommend("b", "history")
    lose_messages()
    later(environment)
    # No newer price has come: on the market's clock no time has passed.
    assert relay()["expired"] == 1
    assert (status(first)[0], status(second)[0]) == ("expired", "queued")


def test_one_that_execution_takes_meanwhile_is_left_to_it(
    environment: pytest.MonkeyPatch,
) -> None:
    from trading.adapters.dynamodb.recommendations import RecommendationRepository

    made = recommend("a")
    found = RecommendationRepository.queued

    def overtaken(self: RecommendationRepository, limit: int) -> Any:
        seen = found(self, limit)
        drain()  # just in time
        later(environment)
        return seen

    environment.setattr(RecommendationRepository, "queued", overtaken)
    assert relay() == NOTHING
    assert status(made)[0] == "executed"
