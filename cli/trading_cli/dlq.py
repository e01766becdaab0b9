"""`trading dlq`: recommendations that execution could not act on, in the dead-letter queue."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import typer

from trading_cli.audit import audited
from trading_cli.local import StackName, current_stack
from trading_cli.output import console, table
from trading_cli.stack import Stack

app = typer.Typer(help="Look at dead letters, and send them again.", no_args_is_help=True)
HELD_SECONDS = 30
"""How long messages that are looked at are hidden from others."""


@app.command("list")
def list_letters(stack_name: StackName = None) -> None:
    """List dead letters: at most ten of each portfolio, as the queue hands out no more at once."""
    stack = current_stack(stack_name)
    client, url = stack.target.client("sqs"), stack.resource("ExecutionDeadLetterQueue")
    letters = list(_received(client, url))
    table(
        f"Dead letters ({len(letters)} shown)",
        ("message", "group", "sent (UTC)", "#tries", "body"),
        (
            (
                letter["MessageId"],
                letter["Attributes"].get("MessageGroupId", ""),
                _time(letter["Attributes"].get("SentTimestamp", "0")),
                letter["Attributes"].get("ApproximateReceiveCount", ""),
                letter["Body"][:200],
            )
            for letter in letters
        ),
    )
    for letter in letters:
        client.change_message_visibility(
            QueueUrl=url, ReceiptHandle=letter["ReceiptHandle"], VisibilityTimeout=0
        )


@app.command()
def redrive(stack_name: StackName = None) -> None:
    """Send every dead letter to execution again; what was executed already is not repeated."""
    stack = current_stack(stack_name)
    with audited(stack, "dlq redrive"):
        count = redrive_all(stack)
    console.print(f"Sent {count} message{'' if count == 1 else 's'} to execution again.")


def redrive_all(stack: Stack) -> int:
    """Move the dead letters back; each is deleted only when the other queue has taken it."""
    client, url = stack.target.client("sqs"), stack.resource("ExecutionDeadLetterQueue")
    count = 0
    for letter in _received(client, url):
        client.send_message(
            QueueUrl=stack.resource("ExecutionQueue"),
            MessageBody=letter["Body"],
            MessageGroupId=letter["Attributes"].get("MessageGroupId", "redrive"),
            # Under its first id the queue would take it for a repeat and drop it.
            MessageDeduplicationId=f"redrive-{letter['MessageId']}",
            MessageAttributes=letter.get("MessageAttributes", {}),
        )
        client.delete_message(QueueUrl=url, ReceiptHandle=letter["ReceiptHandle"])
        count += 1
    return count


def _time(milliseconds: str) -> str:
    """Write a time given in milliseconds since 1970."""
    return f"{datetime.fromtimestamp(int(milliseconds) / 1000, UTC):%Y-%m-%d %H:%M:%S}"


def _received(client: Any, url: str) -> Iterator[Any]:
    """Receive until the queue hands out no more."""
    while True:
        answer = client.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=HELD_SECONDS,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        if not answer.get("Messages"):
            return
        yield from answer["Messages"]
