"""Puts recommendations into the FIFO queue, and reads them back from its records."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from trading import tracing
from trading.domain.errors import InvalidInput, Unavailable
from trading.domain.recommendation import Recommendation

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

KIND = "recommendation"
MAX_BATCH = 10


class SqsExecutionQueue:
    """The execution queue: one message group per portfolio, so each one's orders keep their order.

    ``address`` is asked for the queue's URL when it is first needed.
    """

    def __init__(self, client: Callable[[], SQSClient], address: Callable[[], str]) -> None:
        self._client = client
        self._address = address

    def send(self, recommendations: Sequence[Recommendation]) -> list[str]:
        """Send them in order; returns the ids of those that the queue took.

        Raises Unavailable if the queue does not answer at all.
        """
        taken: list[str] = []
        for start in range(0, len(recommendations), MAX_BATCH):
            batch = recommendations[start : start + MAX_BATCH]
            answer = self._send_batch(batch)
            taken += [batch[int(done["Id"])].id for done in answer.get("Successful", [])]
        return taken

    def _send_batch(self, batch: Sequence[Recommendation]) -> Any:
        """Send up to ten; each message carries the trace on. Raises Unavailable."""
        with tracing.span("execution queue send", "producer", messaging__system="aws_sqs"):
            entries: Any = [_entry(i, r) for i, r in enumerate(batch)]
            try:
                return self._client().send_message_batch(QueueUrl=self._address(), Entries=entries)
            except (BotoCoreError, ClientError) as error:
                raise Unavailable("the execution queue does not take messages") from error


def queue_depth(client: SQSClient, address: str) -> dict[str, int]:
    """Approximate numbers of visible and in-flight messages of any queue. Raises Unavailable."""
    names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    try:
        answer = client.get_queue_attributes(QueueUrl=address, AttributeNames=names)
    except (BotoCoreError, ClientError) as error:
        raise Unavailable("the queue does not answer") from error
    return {
        "waiting": int(answer["Attributes"][names[0]]),
        "in_flight": int(answer["Attributes"][names[1]]),
    }


def hand_back(client: SQSClient, address: str, receipt: str, seconds: int) -> bool:
    """Let a received message be received again in ``seconds``; False if the queue will not.

    A queue's own visibility timeout fits the longest work, and a first-in-first-out group waits
    for its failed message that long; this shortens the wait.
    """
    try:
        client.change_message_visibility(
            QueueUrl=address, ReceiptHandle=receipt, VisibilityTimeout=seconds
        )
    except (BotoCoreError, ClientError):
        return False
    return True


def _entry(index: int, recommendation: Recommendation) -> dict[str, Any]:
    """One message. The recommendation's id is what duplicates are told by."""
    body = {
        "kind": KIND,
        "recommendation_id": recommendation.id,
        "portfolio_id": recommendation.portfolio_id,
        "correlation_id": recommendation.correlation_id,
    }
    carried = {"correlation_id": recommendation.correlation_id or "none"}
    if recommendation.trace_parent:
        # Left in the outbox by whoever made it: what sends it now did not cause it.
        carried["traceparent"] = recommendation.trace_parent
    else:
        tracing.inject(carried)
    return {
        "Id": str(index),
        "MessageBody": json.dumps(body, separators=(",", ":")),
        "MessageGroupId": recommendation.portfolio_id,
        "MessageDeduplicationId": recommendation.id,
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in carried.items()
        },
    }


def trace_context(record: Mapping[str, Any]) -> dict[str, str]:
    """The trace context that a received message carries; empty if it carries none."""
    attributes: Mapping[str, Any] = record.get("messageAttributes") or {}
    texts = {h: attributes[h].get("stringValue") for h in tracing.HEADERS if h in attributes}
    return {name: text for name, text in texts.items() if isinstance(text, str)}


def read_message(body: str) -> Mapping[str, str]:
    """Read a message's body. Raises InvalidInput if it is not one of ours."""
    try:
        message = json.loads(body)
    except ValueError as error:
        raise InvalidInput("body", "the message is not JSON") from error
    if not isinstance(message, dict) or message.get("kind") != KIND:
        raise InvalidInput("body", f"the message is not a {KIND}")
    if not all(isinstance(message.get(k), str) for k in ("recommendation_id", "correlation_id")):
        raise InvalidInput("body", "the message names no recommendation")
    return message
