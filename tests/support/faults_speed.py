"""A short way into moto's DynamoDB.

Thousands of runs are made of half a million calls, most of whose time goes into writing and reading
HTTP. This hands a call's parameters to moto's own handler and takes its result as it is. What the
handler refuses goes the long way round, so that errors are built as they always are.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

DIRECT = {
    "GetItem",
    "Query",
    "BatchGetItem",
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "TransactWriteItems",
}


def directly(operation: str, params: dict[str, Any], send: Callable[[Any], Any]) -> Any:
    """Make one call; ``send`` is the long way."""
    if operation not in DIRECT:
        return send(params)
    handler = DynamoHandler()
    handler.region, handler.current_account = "us-east-1", DEFAULT_ACCOUNT_ID
    handler.params = handler.body = copy.deepcopy(params)
    method = re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
    try:
        result = getattr(handler, method)().result
    except Exception:  # noqa: BLE001 - whatever it is, the long way answers it
        return send(params)
    return result or {}


def copy_less(patch: pytest.MonkeyPatch) -> None:
    """Let moto save each table once per transaction, not once per item of it."""
    saved: dict[int, Any] = {}

    def deepcopy(value: Any) -> Any:
        if not isinstance(value, Table):
            return copy.deepcopy(value)
        if id(value) not in saved:
            saved[id(value)] = copy.deepcopy(value)
        return saved[id(value)]

    from moto.dynamodb import models

    transact = models.DynamoDBBackend.transact_write_items

    def transaction(backend: Any, items: Any) -> Any:
        saved.clear()
        return transact(backend, items)

    patch.setattr(models, "copy", SimpleNamespace(deepcopy=deepcopy, copy=copy.copy))
    patch.setattr(models.DynamoDBBackend, "transact_write_items", transaction)
