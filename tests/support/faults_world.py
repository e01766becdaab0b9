"""A world that can be put back to a moment, whose time is moved by hand, for one worker at a time.

The business clock stands still, so that a disturbed run and an undisturbed one can be compared to
the last byte; the clock of timeouts and pauses runs by being slept on.
"""

from __future__ import annotations

import asyncio
import copy
import datetime as dt
import json
import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto.backends import get_backend
from moto.core import DEFAULT_ACCOUNT_ID

from tests.conftest import forget_cached_parts
from tests.support.faults import Fault, Wire, WorkerKilled
from trading import bootstrap, deadline, telemetry
from trading.api import idempotency
from trading.usecases import retry

OPENING = dt.datetime(2026, 3, 2, 15, 0, tzinfo=dt.UTC)
INVOCATION_SECONDS = 29.0
QUEUE = "ExecutionQueue.fifo"
_FLEETING = {"expiration", "in_progress_expiration"}
"""Attributes of idempotency records that tell when, not what."""


class Clock:
    """Seconds that pass when somebody sleeps or when a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def now(self, tz: dt.tzinfo | None = None) -> dt.datetime:
        return dt.datetime.fromtimestamp(OPENING.timestamp() + self.seconds, tz)


class Invocation:
    """Lambda's context; its time runs by the world's clock."""

    aws_request_id = "00000000-0000-4000-8000-000000000001"
    function_name = "test"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:test"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._end = clock.seconds + INVOCATION_SECONDS

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._end - self._clock.seconds) * 1000))


class World:
    """Tables, queue and clocks; ``wall`` is the business time."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.clock, self.wall = Clock(), OPENING
        self.wire = Wire(patch)
        self._saved: tuple[Any, list[Any], dt.datetime] | None = None
        self._queue = boto3.client("sqs")
        self._url = self._queue.get_queue_url(QueueName=QUEUE)["QueueUrl"]
        patch.setattr(bootstrap, "wall_clock", lambda: self.wall)
        for module in (idempotency, deadline):
            patch.setattr(module, "time", self.clock)
        patch.setattr(retry, "random", random.Random(0))
        chance = SimpleNamespace(uuid4=lambda: SimpleNamespace(hex="c" * 32))
        patch.setattr(telemetry, "uuid", chance)
        library = "aws_lambda_powertools.utilities.idempotency.persistence"
        shim = SimpleNamespace(datetime=self.clock, timedelta=dt.timedelta)
        for name in ("base", "dynamodb", "datarecord"):
            patch.setattr(f"{library}.{name}.dt", shim)

    @property
    def _tables(self) -> Any:
        return get_backend("dynamodb")[DEFAULT_ACCOUNT_ID]["us-east-1"]

    def save(self) -> None:
        """Remember this moment; waiting messages are taken out and put back."""
        self._saved = copy.deepcopy(self._tables.tables), self.receive(), self.wall
        self.restore()

    def restore(self) -> None:
        """Go back to the remembered moment, with new workers."""
        assert self._saved is not None
        tables, messages, self.wall = self._saved
        self._tables.tables = copy.deepcopy(tables)
        self._queue.delete_queue(QueueUrl=self._url)
        self._queue.create_queue(QueueName=QUEUE, Attributes={"FifoQueue": "true"})
        for message in messages:
            self._queue.send_message(
                QueueUrl=self._url,
                MessageBody=message["body"],
                MessageGroupId=message["attributes"]["MessageGroupId"],
                MessageDeduplicationId=message["attributes"]["MessageDeduplicationId"],
            )

    def items(self, ignored: frozenset[str] = frozenset()) -> dict[str, Any]:
        """Everything in every table, without what tells only when; counters at zero lack.

        ``ignored`` names fields of kept answers that are left out.
        """
        found = {}
        for name, table in self._tables.tables.items():
            if name == "AuditTable":
                continue  # it tells of every request, so of each repeat too
            for item in table.all_items():
                values = dict(item.to_json()["Attributes"])
                key = values.get("id") or f"{values['pk']} / {values['sk']}"
                if "MATCHED" in key:
                    continue  # how far a run of the schedule came, which no book is made from
                if "STATS" in str(values.get("pk")):
                    values = {k: v for k, v in values.items() if v != {"N": "0"}}
                if "data" in values and name == "IdempotencyTable":
                    kept = json.loads(values["data"]["S"])
                    body = json.loads(kept["body"])
                    kept["body"] = {k: v for k, v in body.items() if k not in ignored}
                    values["data"] = kept
                found[f"{name}: {key}"] = {k: v for k, v in values.items() if k not in _FLEETING}
        return found

    def raw_item(self, table: str, pk: str, sk: str) -> dict[str, Any]:
        """One item in DynamoDB's own form."""
        key: Any = {"pk": {"S": pk}, "sk": {"S": sk}}
        found: dict[str, Any] = boto3.client("dynamodb").get_item(TableName=table, Key=key)["Item"]
        return found

    def receive(self) -> list[dict[str, Any]]:
        """Take up to ten messages from the queue as Lambda hands them to a function."""
        answer = self._queue.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=10, AttributeNames=["All"]
        )
        return [
            {
                "messageId": m["MessageId"],
                "receiptHandle": m["ReceiptHandle"],
                "body": m["Body"],
                "attributes": m["Attributes"],
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:q.fifo",
                "awsRegion": "us-east-1",
            }
            for m in answer.get("Messages", [])
        ]

    def give_back(self, records: list[dict[str, Any]], failed: set[str]) -> None:
        """Delete messages that were handled and make the failed ones visible again."""
        for record in records:
            which: Any = {"QueueUrl": self._url, "ReceiptHandle": record["receiptHandle"]}
            if record["messageId"] in failed:
                self._queue.change_message_visibility(**which, VisibilityTimeout=0)
            else:
                self._queue.delete_message(**which)

    def work(self, event: Callable[[Any], Any], fault: Fault | None = None) -> Any:
        """Let a worker handle an event; None if it died or raised, which a caller cannot tell."""

        def twin() -> None:
            asyncio.set_event_loop(loop := asyncio.new_event_loop())
            event(Invocation(self.clock))
            loop.close()

        try:
            with self.wire.watching(fault, twin):
                answer = event(Invocation(self.clock))
        except (Exception, WorkerKilled):  # noqa: BLE001 - whatever ends a worker is no answer
            answer = None
        if not self.wire.killed:
            return answer
        forget_cached_parts()
        return None
