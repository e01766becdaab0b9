"""`trading audit`: who wrote what, when and from where; and the tool's own part of that trail."""

from __future__ import annotations

import heapq
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

from trading.adapters.dynamodb.api_keys import ApiKeys
from trading.adapters.dynamodb.audit import AuditTrail
from trading.adapters.dynamodb.store import Store
from trading.domain.audit import TOOL, AuditEntry
from trading.domain.errors import TradingError
from trading_cli.local import StackName, current_stack
from trading_cli.output import errors, table
from trading_cli.stack import Stack

DONE, FAILED = 200, 500
Moment = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="UTC.", show_default=False),
]


def audit(
    key: Annotated[
        str | None,
        typer.Option(help=f"Only this key's id; {TOOL} for the tool.", show_default=False),
    ] = None,
    since: Moment = None,
    until: Moment = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 50,
    stack_name: StackName = None,
) -> None:
    """List requests to write, newest first: by the API and by this tool's own commands."""
    stack = current_stack(stack_name)
    trail, store = trail_of(stack), Store(stack.target.client("dynamodb"))
    start, end = (moment and moment.replace(tzinfo=UTC) for moment in (since, until))
    keys = [key] if key else [*ApiKeys(store, stack.resource("KeysTable")).ids(), TOOL]
    # A time-sorted place is the same order in every partition.
    found = heapq.merge(
        *(trail.newest(who, limit, None, start, end) for who in keys),
        key=lambda placed: placed[0],
        reverse=True,
    )
    table(
        "Requests to write",
        ("asked (UTC)", "key", "from", "what", "#answer", "correlation id"),
        (
            (
                f"{entry.asked_at:%Y-%m-%d %H:%M:%S}",
                f"{entry.key_id} #{entry.generation}",
                entry.source.rpartition(":")[2] if entry.key_id == TOOL else entry.source,
                f"{entry.method} {entry.path}",
                entry.status or "none",
                entry.correlation_id,
            )
            for _, entry in islice(found, limit)
        ),
    )


@contextmanager
def audited(stack: Stack, command: str, *, must: bool = True) -> Iterator[None]:
    """Note a command that writes past the API: before it begins, and whether it succeeded.

    ``command`` is what stands after ``trading``, without secrets. Raises what keeps it from being
    noted, and then nothing is done; unless ``must`` is false, which is for what stops trading.
    """
    trail = trail_of(stack)
    now = datetime.now(UTC)
    entry = AuditEntry(
        request_id=uuid.uuid4().hex,
        key_id=TOOL,
        generation=1,
        source=_identity(stack),
        user_agent="trading",
        method="RUN",
        path=f"trading {command}"[:200],
        idempotency_key=None,
        correlation_id=uuid.uuid4().hex,
        asked_at=now,
    )
    try:
        trail.asked(entry)
    except TradingError as error:
        if must:
            raise
        errors.print(f"[yellow]The audit trail does not take this; going on:[/] {error}")
    status = FAILED
    try:
        yield
        status = DONE
    finally:
        answer = {"status": status, "answered_at": datetime.now(UTC)}
        try:
            trail.answered(entry.model_copy(update=answer))
        except TradingError as error:
            errors.print(f"[yellow]The answer is missing in the audit trail:[/] {error}")


def trail_of(stack: Stack) -> AuditTrail:
    """A stack's audit trail."""
    return AuditTrail(Store(stack.target.client("dynamodb")), stack.resource("AuditTable"))


def _identity(stack: Stack) -> str:
    """Who runs the tool, as AWS knows it; it has no address that anybody vouches for."""
    try:
        return str(stack.target.client("sts").get_caller_identity()["Arn"])
    except (BotoCoreError, ClientError):
        return "unknown"
