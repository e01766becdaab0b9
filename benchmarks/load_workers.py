"""The processes of a load run: senders, and workers that die and are started again.

A worker does what Lambda does for an event source mapping: it receives a batch from the deployed
queue, calls the deployed handler's code with it, and deletes what the handler did not hand back.
It dies by ``os._exit`` where the plan says so: nothing is cleaned up, its batch comes back when the
queue's visibility timeout has passed, and another process takes its place.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import boto3

from benchmarks.load_plan import Plan, Planned
from tests.conftest import forget_cached_parts
from tests.support.http import Context

DIED = 3
"""Exit code of a worker that died as planned."""
_forks = multiprocessing.get_context("fork")


@dataclass
class Deaths:
    """Kills this process where the plan says so, once for each recommendation.

    ``folder`` remembers beyond the process which deaths have been died.
    """

    planned: dict[str, Planned]
    folder: Path
    _current: str = ""
    _calls: int = 0
    _armed: Planned | None = field(default=None, repr=False)

    def begin(self, recommendation_id: str) -> None:
        """Count calls from here on for this recommendation."""
        planned = self.planned.get(recommendation_id)
        due = planned is not None and planned.dies_at > 0
        self._armed = planned if due and not self._note(recommendation_id).exists() else None
        self._current, self._calls = recommendation_id, 0

    def end(self) -> None:
        """The order is done; who was to die at a later call dies now, before the delete."""
        if self._armed:
            self._die()

    def before_call(self, **_: Any) -> None:
        """Notice that a request is about to be sent."""
        self._calls += 1
        if self._armed and self._armed.dies_at == self._calls and not self._armed.answered:
            self._die()

    def after_call(self, **_: Any) -> None:
        """Notice that an answer has come."""
        if self._armed and self._armed.dies_at == self._calls and self._armed.answered:
            self._die()

    def _note(self, recommendation_id: str) -> Path:
        return self.folder / recommendation_id

    def _die(self) -> None:
        self._note(self._current).touch()
        os._exit(DIED)


def work(deaths: Deaths, queue: str, stop: Event) -> None:
    """Take batches from the queue and execute them until told to stop."""
    import execution.handler

    _begin()
    boto3.setup_default_session()
    session: Any = boto3.DEFAULT_SESSION
    session.events.register("before-call", deaths.before_call)
    session.events.register("after-call", deaths.after_call)
    names = vars(execution.handler)
    execute = names["execute_recommendation"]

    def watched(desk: Any, identifier: str) -> Any:
        deaths.begin(identifier)
        done = execute(desk, identifier)
        deaths.end()
        return done

    names["execute_recommendation"] = watched
    sqs = boto3.client("sqs")
    while not stop.is_set():
        answer = sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1, AttributeNames=["All"]
        )
        if messages := answer.get("Messages"):
            _handle(execution.handler.on_recommendations, sqs, queue, messages)


def _handle(handler: Callable[..., Any], sqs: Any, queue: str, messages: list[Any]) -> None:
    """Call the handler with a batch, and delete what it did not hand back."""
    answer = handler({"Records": [record(message) for message in messages]}, Context())
    failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
    done = [m["ReceiptHandle"] for m in messages if m["MessageId"] not in failed]
    entries = [{"Id": str(i), "ReceiptHandle": receipt} for i, receipt in enumerate(done)]
    if entries:
        sqs.delete_message_batch(QueueUrl=queue, Entries=entries)


def record(message: Any) -> dict[str, Any]:
    """A message as Lambda hands it to a function."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:ExecutionQueue.fifo",
    }


def send(plan: Plan, part: int, parts: int, queue: str) -> None:
    """Save and send one sender's recommendations, as the recommendations service does."""
    from trading.desk import desk
    from trading.usecases.recommend import save
    from trading.usecases.relay_outbox import send as send_saved

    _begin()
    sqs = boto3.client("sqs")
    for bunch, unsent in plan.bunches(part, parts):
        saved = [save(desk(), proposal(one), one.cause)[0] for one in bunch]
        if unsent:
            continue
        send_saved(desk(), [one for one in saved if one.execution_status == "pending"])
        for one, kept in zip(bunch, saved, strict=True):
            if one.twice:
                _send_again(sqs, queue, one, kept)


def proposal(one: Planned) -> Any:
    """What the recommendations service is asked to save."""
    from trading.domain.order import OrderType, Side
    from trading.usecases.recommend import Proposal

    return Proposal(
        portfolio_id=one.portfolio_id,
        symbol=one.symbol,
        side=Side.BUY if one.is_buy else Side.SELL,
        quantity=one.quantity,
        cause=one.cause,
        source="load",
        type=OrderType.LIMIT if one.rests else OrderType.MARKET,
        limit_price=one.price if one.rests else None,
    )


def _send_again(sqs: Any, queue: str, one: Planned, saved: Any) -> None:
    """Send a message again under another deduplication id, as a queue may that forgot the first.

    Every second one goes by a message group of its own, so that twins can run at the same time.
    """
    from trading.adapters.sqs.execution_queue import _entry

    entry = _entry(0, saved)
    del entry["Id"]
    entry["MessageDeduplicationId"] = f"{saved.id}-again"
    if one.number % 2:
        entry["MessageGroupId"] = f"{one.portfolio_id}-again"
    sqs.send_message(QueueUrl=queue, **entry)


def start(target: Callable[..., None], *arguments: Any) -> BaseProcess:
    """Run a function in a process of its own, forked, so that it need not import anything."""
    process = _forks.Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


def new_event() -> Event:
    """Something that all processes can see happen."""
    return _forks.Event()


def _begin() -> None:
    """Make the forked process its own: no client of the parent's, and silent."""
    forget_cached_parts()
    boto3.DEFAULT_SESSION = None
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
