"""Counts what AWS bills: DynamoDB units, SQS requests, bytes logged, and the time of a call.

Listens to every call of whichever client, so that libraries' own calls count too. Units follow from
the items by ``tariff``: around each write the items are read as they were and as they are then, by
a client that is not listened to. What DynamoDB itself says it consumed is kept beside them.
"""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, TextIO

import boto3
import botocore.session
from botocore import handlers as botocore_handlers

from benchmarks import tariff
from tests.support.aws import RESOURCES
from trading.telemetry import logger

ZERO = Decimal(0)
_WRITES = ("Put", "Update", "Delete", "ConditionCheck")


@dataclass(frozen=True)
class Units:
    """What some work is billed for.

    ``reads`` and ``writes`` are DynamoDB's request units, ``queue`` SQS requests. ``reported`` is
    the sum of ConsumedCapacity, reads and writes together, as the database answered it.
    """

    reads: Decimal = ZERO
    writes: Decimal = ZERO
    queue: int = 0
    reported: Decimal = ZERO

    def __add__(self, other: Units) -> Units:
        """Both together."""
        return Units(
            self.reads + other.reads,
            self.writes + other.writes,
            self.queue + other.queue,
            self.reported + other.reported,
        )


@dataclass
class Work:
    """One piece of work: its units, its calls by name, what it logged, and how long it took."""

    units: Units = field(default_factory=Units)
    calls: list[str] = field(default_factory=list)
    log_bytes: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class _Write:
    """One item that a call writes, as it was before."""

    table: str
    key: dict[str, Any]
    before: dict[str, Any] | None


class Meter:
    """Listens to every client that is made while ``listen`` is open."""

    def __init__(self) -> None:
        self._work: Work | None = None
        self.counting = True
        """Counting reads items around every write; without it, times are true."""

    @cached_property
    def _quiet(self) -> Any:
        """A client that nobody listens to; made before the listening starts."""
        return botocore.session.get_session().create_client("dynamodb")

    @contextlib.contextmanager
    def listen(self) -> Iterator[Meter]:
        """Attach to all sessions that are made while this is open."""
        assert self._quiet
        hooks: list[Any] = [
            ("provide-client-params.dynamodb", self._ask),
            ("after-call.dynamodb", self._count_units),
            ("before-call.sqs", self._count_request),
        ]
        known: list[Any] = botocore_handlers.BUILTIN_HANDLERS
        known.extend(hooks)
        boto3.DEFAULT_SESSION = None
        try:
            yield self
        finally:
            for hook in hooks:
                known.remove(hook)
            boto3.DEFAULT_SESSION = None

    @contextlib.contextmanager
    def work(self) -> Iterator[Work]:
        """Count what happens inside."""
        work = Work()
        self._work = work if self.counting else None
        written = io.StringIO()
        start = time.perf_counter()
        with contextlib.redirect_stdout(written), logging_to(written):
            yield work
        work.seconds = time.perf_counter() - start
        self._work = None
        work.log_bytes = len(written.getvalue().encode())

    def _ask(self, params: Any, model: Any, context: Any, **_: Any) -> Any:
        if self._work is None or "ReturnConsumedCapacity" not in model.input_shape.members:
            return None  # The latter makes or describes a table, and is not billed by units.
        context["asked"] = params
        context["writes"] = [
            _Write(table, key, self._item(table, key))
            for table, key in _written(model.name, params)
        ]
        return {**params, "ReturnConsumedCapacity": "TOTAL"}

    def _count_units(self, parsed: Any, model: Any, context: Any, **_: Any) -> None:
        if self._work is None or "asked" not in context:
            return
        self._work.calls.append(model.name)
        if "Error" in parsed:
            return
        transactional = model.name.startswith("Transact")
        writes = sum(
            (
                tariff.write_units(
                    write.before,
                    self._item(write.table, write.key),
                    _index_keys(write.table),
                    transactional=transactional,
                )
                for write in context["writes"]
            ),
            ZERO,
        )
        reads = _read(model.name, context["asked"], parsed)
        self._work.units += Units(reads, writes, reported=_reported(parsed))

    def _count_request(self, model: Any, **_: Any) -> None:
        if self._work is None:
            return
        self._work.calls.append(model.name)
        self._work.units += Units(queue=1)

    def _item(self, table: str, key: dict[str, Any]) -> dict[str, Any] | None:
        answer = self._quiet.get_item(TableName=table, Key=key, ConsistentRead=True)
        item: dict[str, Any] | None = answer.get("Item")
        return item


@contextlib.contextmanager
def logging_to(stream: TextIO) -> Iterator[None]:
    """Send the platform's log lines to a stream; its logger keeps the one it was made with."""
    handler: Any = logger.registered_handler
    before = handler.setStream(stream)
    try:
        yield
    finally:
        handler.setStream(before)


def _written(name: str, params: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Table and key of every item that a call writes or checks."""
    if name == "TransactWriteItems":
        for action in params["TransactItems"]:
            ((kind, body),) = action.items()
            assert kind in _WRITES
            yield body["TableName"], _key(body["TableName"], body.get("Key") or body["Item"])
    elif name == "BatchWriteItem":
        for table, requests in params["RequestItems"].items():
            for request in requests:
                ((_, body),) = request.items()
                yield table, _key(table, body.get("Key") or body["Item"])
    elif name in ("PutItem", "UpdateItem", "DeleteItem"):
        yield params["TableName"], _key(params["TableName"], params.get("Key") or params["Item"])


def _read(name: str, asked: Any, answered: Any) -> Decimal:
    """Units of a call's reads."""
    consistent = bool(asked.get("ConsistentRead"))
    if name == "GetItem":
        return tariff.read_units(tariff.item_size(answered.get("Item", {})), consistent=consistent)
    if name == "Query":
        assert "FilterExpression" not in asked
        size = sum(map(tariff.item_size, answered["Items"]))
        return tariff.read_units(size, consistent=consistent)
    if name == "BatchGetItem":
        return sum((_batch_read(asked, answered, table) for table in asked["RequestItems"]), ZERO)
    return ZERO


def _batch_read(asked: Any, answered: Any, table: str) -> Decimal:
    """Units of one table's part of a BatchGetItem: every key is a read of its own."""
    request, found = asked["RequestItems"][table], answered["Responses"].get(table, [])
    consistent = bool(request.get("ConsistentRead"))
    sizes = [tariff.item_size(item) for item in found]
    sizes += [0] * (len(request["Keys"]) - len(found))
    return sum((tariff.read_units(size, consistent=consistent) for size in sizes), ZERO)


def _reported(parsed: Any) -> Decimal:
    """What the database says (the emulator says nothing for BatchGetItem)."""
    consumed = parsed.get("ConsumedCapacity") or []
    entries = consumed if isinstance(consumed, list) else [consumed]
    return sum((Decimal(str(entry["CapacityUnits"])) for entry in entries), ZERO)


def _key(table: str, item: Any) -> dict[str, Any]:
    """The key part of an item."""
    names = [part["AttributeName"] for part in RESOURCES[table]["Properties"]["KeySchema"]]
    return {name: _typed(item[name]) for name in names}


def _typed(value: Any) -> Any:
    return value if isinstance(value, dict) else {"S": value}


def _index_keys(table: str) -> list[tuple[str, ...]]:
    """The key attributes of a table's indexes."""
    indexes = RESOURCES[table]["Properties"].get("GlobalSecondaryIndexes", [])
    return [tuple(part["AttributeName"] for part in index["KeySchema"]) for index in indexes]
