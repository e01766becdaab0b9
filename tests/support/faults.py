"""Faults at the boundary to AWS: every call of a worker can be made to go wrong in turn.

The boundary is botocore's ``_make_api_call``, which every client's every method passes, also those
of libraries. What is raised there is what the code sees once the client's own retries have ended.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from tests.support.faults_speed import copy_less, directly

ENDPOINT = "https://aws.example.test"


class Kind(StrEnum):
    """What goes wrong at one call."""

    REFUSED = "refused"  # it fails before anything happened
    LOST = "lost"  # it happens, the answer does not come
    RESENT = "resent"  # it happens, the answer is lost, and the client library sends it again
    KILLED = "killed"  # it happens, and the worker dies
    TWICE = "twice"  # just before it, another worker handles the same message whole
    THROTTLED = "throttled"  # the service asks to slow down
    CONFLICT = "conflict"  # another transaction holds one of the items
    IN_PROGRESS = "in_progress"  # it happens, but the answer says that it still is under way
    PARTIAL = "partial"  # a batch is done in part only
    OUTAGE = "outage"  # from here on everything throttles, until the worker gives up


_EVERY = (Kind.REFUSED, Kind.LOST, Kind.KILLED, Kind.TWICE, Kind.THROTTLED, Kind.OUTAGE)
_WRITE = (*_EVERY, Kind.RESENT, Kind.CONFLICT)
KINDS: dict[str, tuple[Kind, ...]] = {
    "GetItem": _EVERY,
    "Query": _EVERY,
    "BatchGetItem": (*_EVERY, Kind.PARTIAL),
    "PutItem": _WRITE,
    "UpdateItem": _WRITE,
    "DeleteItem": _WRITE,
    "BatchWriteItem": (*_WRITE, Kind.PARTIAL),
    "TransactWriteItems": (*_WRITE, Kind.IN_PROGRESS),
    "SendMessageBatch": (*_EVERY, Kind.RESENT, Kind.PARTIAL),
    "ChangeMessageVisibility": (*_EVERY, Kind.RESENT),
}
"""The kinds that each operation can suffer; one that is not listed may not be called."""


class WorkerKilled(BaseException):
    """The process is gone. Nothing in the product may catch this."""


@dataclass(frozen=True)
class Fault:
    """One fault: its kind, and which of the worker's calls it hits, counted from 0."""

    kind: Kind
    index: int


class Wire:
    """Stands where calls leave for AWS, writes down those of the watched worker, and hurts one."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.fired = False
        self._fault: Fault | None = None
        self._twin: Callable[[], Any] = lambda: None
        self._watching = self._dead = False
        call = BaseClient._make_api_call  # type: ignore[attr-defined]
        copy_less(patch)

        def intercepted(client: Any, operation: str, params: dict[str, Any]) -> Any:
            def send(sent: dict[str, Any]) -> Any:
                return directly(operation, sent, lambda p: call(client, operation, p))

            return self._pass(client, operation, params, send)

        patch.setattr(BaseClient, "_make_api_call", intercepted)

    @contextmanager
    def watching(self, fault: Fault | None, twin: Callable[[], Any]) -> Iterator[None]:
        """Watch what is done within, and let ``fault`` happen; ``twin`` is the same work again."""
        self.calls, self.fired, self._dead = [], False, False
        self._fault, self._twin, self._watching = fault, twin, True
        try:
            yield
        finally:
            self._watching = False

    @property
    def killed(self) -> bool:
        """Whether the watched worker has died."""
        return self._dead

    def _pass(self, client: Any, operation: str, params: Any, send: Callable[[Any], Any]) -> Any:
        if not self._watching:
            return send(params)
        if self._dead:
            raise WorkerKilled
        index = len(self.calls)
        self.calls.append(operation)
        fault = self._fault
        if fault is None or index < fault.index:
            return send(params)
        if index > fault.index and fault.kind is not Kind.OUTAGE:
            return send(params)
        assert fault.kind in KINDS[operation]
        self.fired = True
        return self._hurt(fault.kind, client, operation, params, send)

    def _hurt(
        self, kind: Kind, client: Any, operation: str, params: Any, send: Callable[[Any], Any]
    ) -> Any:
        """Let one call suffer."""
        match kind:
            case Kind.REFUSED:
                raise EndpointConnectionError(endpoint_url=ENDPOINT)
            case Kind.THROTTLED | Kind.OUTAGE:
                raise _throttled(client, operation, params)
            case Kind.CONFLICT:
                raise _conflict(client, operation, params)
            case Kind.TWICE:
                self._run_twin()
                return send(params)
            case Kind.PARTIAL:
                return _PARTIAL[operation](params, send)
            case Kind.RESENT:
                # As if the service had forgotten the request's token, which is the worst case.
                send(params)
                return send(params)
        send(params)
        if kind is Kind.LOST:
            raise ReadTimeoutError(endpoint_url=ENDPOINT)
        if kind is Kind.IN_PROGRESS:
            raise _error(client, operation, "TransactionInProgressException")
        assert kind is Kind.KILLED
        self._dead = True
        raise WorkerKilled

    def _run_twin(self) -> None:
        """Do the same work whole in another worker, which no fault hits."""
        self._watching = False
        thread = threading.Thread(target=self._twin)
        thread.start()
        thread.join()
        self._watching = True


def _error(client: Any, operation: str, code: str, **more: Any) -> Exception:
    response = {"Error": {"Code": code, "Message": "injected"}, **more}
    error: Exception = client.exceptions.from_code(code)(response, operation)
    return error


def _cancelled(client: Any, params: Any, code: str) -> Exception:
    """A transaction refused because of its last item."""
    reasons = [{"Code": "None"} for _ in params["TransactItems"]]
    reasons[-1] = {"Code": code}
    name = "TransactionCanceledException"
    return _error(client, "TransactWriteItems", name, CancellationReasons=reasons)


def _throttled(client: Any, operation: str, params: Any) -> Exception:
    if operation == "TransactWriteItems":
        return _cancelled(client, params, "ThrottlingError")
    if "Message" in operation:
        return _error(client, operation, "RequestThrottled")
    return _error(client, operation, "ProvisionedThroughputExceededException")


def _conflict(client: Any, operation: str, params: Any) -> Exception:
    if operation == "TransactWriteItems":
        return _cancelled(client, params, "TransactionConflict")
    return _error(client, operation, "TransactionConflictException")


def _read_one_table(params: Any, send: Callable[[Any], Any]) -> Any:
    """Answer for one table of the batch and leave the rest for later."""
    tables = list(params["RequestItems"].items())
    answer = send({**params, "RequestItems": dict(tables[:1])})
    return {**answer, "UnprocessedKeys": dict(tables[1:])}


def _write_nothing(params: Any, _: Callable[[Any], Any]) -> Any:
    return {"UnprocessedItems": params["RequestItems"]}


def _take_first_message(params: Any, send: Callable[[Any], Any]) -> Any:
    """Take the first message but one; refuse the last."""
    *kept, refused = params["Entries"]
    taken = send({**params, "Entries": kept})["Successful"] if kept else []
    failure = {"Id": refused["Id"], "Code": "InternalError", "SenderFault": False}
    return {"Successful": taken, "Failed": [failure]}


_PARTIAL: dict[str, Callable[[Any, Callable[[Any], Any]], Any]] = {
    "BatchGetItem": _read_one_table,
    "BatchWriteItem": _write_nothing,
    "SendMessageBatch": _take_first_message,
}
