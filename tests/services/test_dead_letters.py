"""Messages that failed too often: kept, listed, and sent again by one command."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from tests.support.floor import books, drain, good, open_floor, order
from trading import bootstrap
from trading.adapters.dynamodb.store import Store
from trading.domain.errors import Unavailable
from trading.settings import settings
from trading_cli import dlq

TRIES = 3


@pytest.fixture(autouse=True)
def floor(account: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A floor whose queue gives a message up after its tries, as the template's does."""
    open_floor()
    client, dead = bootstrap.queue_client(), settings().dead_letter_queue_url
    found = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])
    policy = {"deadLetterTargetArn": found["Attributes"]["QueueArn"], "maxReceiveCount": TRIES}
    client.set_queue_attributes(
        QueueUrl=settings().execution_queue_url, Attributes={"RedrivePolicy": json.dumps(policy)}
    )
    monkeypatch.setattr("execution.handler.RETRY_SECONDS", 0)
    monkeypatch.setattr(dlq, "current_stack", lambda _: _stack())


def _stack() -> Any:
    urls = {
        "ExecutionQueue": settings().execution_queue_url,
        "ExecutionDeadLetterQueue": settings().dead_letter_queue_url,
        "AuditTable": "AuditTable",
    }
    return SimpleNamespace(target=SimpleNamespace(client=boto3.client), resource=urls.__getitem__)


def _run(verb: str) -> str:
    result = CliRunner().invoke(dlq.app, [verb])
    assert result.exit_code == 0, result.output
    return result.output


def _die(environment: pytest.MonkeyPatch) -> dict[str, Any]:
    """A recommendation whose message failed until the queue gave it up."""
    made: dict[str, Any] = good("POST", "/recommendations", order("10"), key="a")

    def gone(*_: Any, **__: Any) -> None:
        raise Unavailable("the table does not answer")

    with environment.context() as patch:
        patch.setattr(Store, "get", gone)
        for _ in range(TRIES):
            assert len(drain()["batchItemFailures"]) == 1
    assert drain()["batchItemFailures"] == []
    assert books()["positions"] == {}
    return made


def test_a_dead_letter_is_listed_redriven_and_traded_once(environment: pytest.MonkeyPatch) -> None:
    made = _die(environment)
    assert "main" in _run("list")
    assert "1 message " in _run("redrive")
    drain()
    assert good("GET", f"/recommendations/{made['id']}")["execution_status"] == "executed"
    assert "0 messages" in _run("redrive")
    drain()
    assert books()["positions"]["ACME"].quantity == 10
    assert books()["trades"] == 1
