"""Answering a repeated request as it was answered before.

Powertools keeps the records; the decorator that it offers is not used, since a repeat with
another body and a repeat of a request still under way have answers of their own here.

A record of a request under way expires when its function must have ended. So a worker that dies
after its action but before the answer is kept leaves the action to be run again: actions derive
their ids from the idempotency key and notice it. For the same reason an answer that cannot be
kept is given all the same.
"""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from fastapi import Header, Request, Response
from pydantic import BaseModel, StringConstraints

from trading import deadline
from trading.api.problems import MEDIA_TYPE
from trading.client_config import client_config
from trading.domain.errors import IdempotencyConflict, StillUnderWay, Unavailable
from trading.domain.identifiers import IDEMPOTENCY_KEY_PATTERN
from trading.settings import settings
from trading.telemetry import logger

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.idempotency.persistence.dynamodb import (
        DynamoDBPersistenceLayer,
    )

    from trading.api.security import Caller

KEPT_SECONDS = 24 * 3600
WAIT_SECONDS = 5.0
"""How long a repeat waits for the request that came first."""
_POLL_SECONDS = 0.1
_DEFAULT_TIMEOUT_MS = 30_000
_ABOUT = "The same key with the same body gives the same answer for 24 hours."

_Key = Annotated[str, StringConstraints(pattern=IDEMPOTENCY_KEY_PATTERN)]
IdempotencyKey = Annotated[_Key, Header(alias="Idempotency-Key", description=_ABOUT)]
"""The key of a route that cannot be called without one."""
OptionalIdempotencyKey = Annotated[_Key | None, Header(alias="Idempotency-Key", description=_ABOUT)]
"""The key of a route that can be called without one; give it the default None."""

A = TypeVar("A", bound=BaseModel)


@dataclass(frozen=True)
class _Record:
    """One request in the table: who asked what under which key."""

    table: DynamoDBPersistenceLayer
    data: dict[str, Any]


def replayable(
    caller: Caller,
    request: Request,
    key: str | None,
    body: BaseModel,
    action: Callable[[], tuple[int, A]],
    remember: Callable[[A], BaseModel] = lambda answer: answer,
) -> Response:
    """Answer with the status and model that ``action`` gives, or gave the first time.

    The key counts per caller, method and path. ``remember`` makes the answer that is kept from
    the one that is given, for answers that hold a secret. Errors are not kept. Raises
    IdempotencyConflict for another body under the same key, and StillUnderWay when the first
    request has no answer after ``WAIT_SECONDS`` or when this invocation must end.
    """
    if key is None:
        status, answer = action()
        return _response(status, answer.model_dump_json())
    identity = [request.method, request.url.path, caller.key_id, key]
    record = _Record(_table(), {"key": identity, "body": body.model_dump(mode="json")})
    kept = _reserve(record, _remaining_ms(request))
    if kept is not None:
        return _response(kept["status"], kept["body"])
    return _answer(record, action, remember)


def _response(status: int, content: str) -> Response:
    problem = status >= 400  # a refusal that is kept, such as an order that risk rejected
    return Response(content, status, media_type=MEDIA_TYPE if problem else "application/json")


def _remaining_ms(request: Request) -> int:
    """Return how long this invocation can still run."""
    remaining = getattr(request.scope.get("aws.context"), "get_remaining_time_in_millis", None)
    return int(remaining()) if remaining else _DEFAULT_TIMEOUT_MS


@functools.cache
def _table() -> DynamoDBPersistenceLayer:
    """Make the table's client (imported here: only requests that carry a key need it)."""
    from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig
    from aws_lambda_powertools.utilities.idempotency.persistence.dynamodb import (
        DynamoDBPersistenceLayer,
    )

    table = DynamoDBPersistenceLayer(settings().idempotency_table, boto_config=client_config())
    config = IdempotencyConfig(
        event_key_jmespath="key",
        payload_validation_jmespath="body",
        expires_after_seconds=KEPT_SECONDS,
        hash_function="sha256",
    )
    table.configure(config, key_prefix="request")
    return table


def _reserve(record: _Record, remaining_ms: int) -> dict[str, Any] | None:
    """Take the key for this request (None), or return the answer kept under it."""
    from aws_lambda_powertools.utilities.idempotency.exceptions import (
        IdempotencyItemAlreadyExistsError,
        IdempotencyValidationError,
    )
    from botocore.exceptions import BotoCoreError, ClientError

    patience = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            record.table.save_inprogress(record.data, remaining_ms)
        except IdempotencyItemAlreadyExistsError as error:
            found = error.old_data_record
            if found is not None and found.status == "COMPLETED":
                kept: dict[str, Any] = json.loads(found.response_data)
                return kept
        except IdempotencyValidationError as error:
            raise IdempotencyConflict("this Idempotency-Key came with another body") from error
        except (BotoCoreError, ClientError) as error:
            raise Unavailable("the idempotency table does not answer") from error
        else:
            return None
        if time.monotonic() > patience or not deadline.wait(_POLL_SECONDS):
            raise StillUnderWay("a request with this Idempotency-Key is still being answered")


def _answer(
    record: _Record, action: Callable[[], tuple[int, A]], remember: Callable[[A], BaseModel]
) -> Response:
    """Run the action and keep its answer; an error frees the key for another try."""
    try:
        status, answer = action()
    except Exception as error:
        with _best_effort("a key stays taken until its request must have ended"):
            record.table.delete_record(record.data, error)
        raise
    kept = {"status": status, "body": remember(answer).model_dump_json()}
    with _best_effort("an answer was not kept; the same request will act, and notice, again"):
        record.table.save_success(record.data, kept)
    return _response(status, answer.model_dump_json())


@contextmanager
def _best_effort(otherwise: str) -> Iterator[None]:
    """Go on when the table does not answer; what was done stands, and ``otherwise`` is logged."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        logger.warning(otherwise, extra={"why": type(error).__name__})
