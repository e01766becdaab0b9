"""The real queue: foreign messages, duplicates, and what was late."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.stack.trading_floor import buy, open_floor
from tests.support.local_stack import LocalStack
from trading_cli.api import Api

PATIENCE = 90.0


def eventually(look: Callable[[], Any], what: str) -> Any:
    """Look until there is something to see."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if seen := look():
            return seen
        time.sleep(0.3)
    raise AssertionError(f"{what} did not happen within {PATIENCE:.0f} s")


@pytest.fixture(scope="module")
def api(stack: LocalStack) -> Iterator[Api]:
    with stack.api() as api:
        open_floor(api, "queued", "QUEUED", {})
        yield api


def ended(api: Api, identifier: str) -> Callable[[], Any]:
    def look() -> Any:
        found = api.get(f"/recommendations/{identifier}")
        return found if found["execution_status"] not in ("pending", "queued") else None

    return look


def test_foreign_messages_die_and_their_neighbours_are_executed(
    stack: LocalStack, api: Api
) -> None:
    sqs = stack.client("sqs")
    queue, dead = stack.resource("ExecutionQueue"), stack.resource("ExecutionDeadLetterQueue")
    for number, body in enumerate(("not JSON at all", '{"kind": "invoice"}')):
        sqs.send_message(
            QueueUrl=queue,
            MessageBody=body,
            MessageGroupId="queued",
            MessageDeduplicationId=f"foreign-{number}",
        )
    made = api.post("/recommendations", buy("queued", "QUEUED", "1"), "beside-foreign")

    done = eventually(ended(api, made["id"]), "the neighbour's execution")
    assert done["execution_status"] == "executed"

    bodies: set[str] = set()

    def both_dead() -> bool:
        found = sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10, VisibilityTimeout=0)
        bodies.update(message["Body"] for message in found.get("Messages", []))
        return len(bodies) == 2

    eventually(both_dead, "the foreign messages' death")
    assert bodies == {"not JSON at all", '{"kind": "invoice"}'}


def test_a_message_that_comes_twice_makes_one_order(stack: LocalStack, api: Api) -> None:
    made = api.post("/recommendations", buy("queued", "QUEUED", "2"), "comes-twice")
    done = eventually(ended(api, made["id"]), "the first execution")
    orders = len(list(api.each("/orders", portfolio_id="queued")))

    message = {
        "kind": "recommendation",
        "recommendation_id": made["id"],
        "portfolio_id": "queued",
        "correlation_id": "again",
    }
    record = {"messageId": "m-1", "body": json.dumps(message), "attributes": {}}
    record |= {"receiptHandle": "r", "messageAttributes": {}, "eventSource": "aws:sqs"}
    record |= {"attributes": {"MessageGroupId": "queued"}, "eventSourceARN": "arn:aws:sqs:::q"}
    answer = stack.invoke("ExecutionQueueFunction", {"Records": [record]})

    assert answer == {"batchItemFailures": []}
    assert api.get(f"/recommendations/{made['id']}") == done
    assert len(list(api.each("/orders", portfolio_id="queued"))) == orders


def test_one_correlation_id_reaches_the_fill(stack: LocalStack, api: Api) -> None:
    made = api.post("/recommendations", buy("queued", "QUEUED", "3"), "correlated")
    done = eventually(ended(api, made["id"]), "the execution")
    order = api.get(f"/orders/{done['order_id']}")
    entry = api.get("/portfolio/queued/ledger", limit=1)["items"][0]
    assert (
        made["correlation_id"]
        == order["correlation_id"]
        == order["fills"][0]["correlation_id"]
        == entry["correlation_id"]
    )
