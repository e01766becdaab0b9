"""API Gateway's REQUEST authorizer.

It runs before every request that is not cached, so it imports neither pydantic nor FastAPI, and
reads one item. The gateway keeps its answer for up to 60 seconds per key: so long may a revoked
key still pass.
"""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

import boto3
from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import BotoCoreError, ClientError

from trading.adapters.dynamodb import keys as table_keys
from trading.adapters.dynamodb.api_keys import from_item
from trading.auth.attempts import Attempts
from trading.auth.keys import Credential, parse, verified_generation
from trading.domain.api_key import ApiKey
from trading.domain.time import to_text
from trading.settings import settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

HEADER = "x-trading-api-key"
_attempts = Attempts()


def authorize(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Allow the holder of a valid key the whole stage; services check scopes themselves.

    Raises Exception("Unauthorized"), which the gateway answers with 401, for everything else.
    """
    credential, source = parse(_header(event)), _source(event)
    named = credential.key_id if credential else None
    if _attempts.are_too_many(named, source, time.monotonic()):
        _refuse("too many attempts", named, source)
    if credential is None:
        _refuse("malformed", None, source)
    key = _read(credential)
    if key is None:
        _refuse("unknown", credential.key_id, source)
    now = datetime.now(UTC)
    generation = verified_generation(key, credential, now)
    if generation is None:
        _refuse("not valid", key.id, source)
    _note_use(key, now)
    _log("allowed", key.id)
    return _allow(event["methodArn"], key, generation)


def _source(event: Mapping[str, Any]) -> str:
    """The address that the gateway saw the request come from."""
    identity = (event.get("requestContext") or {}).get("identity") or {}
    return str(identity.get("sourceIp") or "unknown")


def _header(event: Mapping[str, Any]) -> str:
    """Find the key's header, whatever its case."""
    headers: Mapping[str, str] = event.get("headers") or {}
    return next((v for name, v in headers.items() if name.lower() == HEADER), "")


@functools.cache
def _client() -> DynamoDBClient:
    """Make the client on first use."""
    return boto3.client("dynamodb")


def _place(key_id: str) -> dict[str, Any]:
    """A key's place in the table, as the client takes it."""
    return {name: {"S": value} for name, value in table_keys.api_key(key_id).items()}


def _read(credential: Credential) -> ApiKey | None:
    """Read the key's record."""
    # Consistent, so that a key that has just been revoked or made is seen as it is.
    answer = _client().get_item(
        TableName=settings().keys_table, Key=_place(credential.key_id), ConsistentRead=True
    )
    item = answer.get("Item")
    if not item:
        return None
    read = TypeDeserializer().deserialize
    return from_item({name: read(value) for name, value in item.items()})


def _note_use(key: ApiKey, now: datetime) -> None:
    """Write that a key is used, at most once an hour; one that cannot be noted passes all the same.

    The role may write no other attribute, and makes no key that was not there.
    """
    if not key.use_is_news(now):
        return
    try:
        _client().update_item(
            TableName=settings().keys_table,
            Key=_place(key.id),
            UpdateExpression="SET last_used_at = :now",
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeValues={":now": {"S": to_text(now)}},
        )
    except (BotoCoreError, ClientError) as error:
        _log(f"its use was not noted: {type(error).__name__}", key.id)


def _allow(method_arn: str, key: ApiKey, generation: int) -> dict[str, Any]:
    """Build the policy. It covers the stage, for it is cached for all of the key's requests."""
    stage = "/".join(method_arn.split("/")[:2])
    statement = {
        "Action": "execute-api:Invoke",
        "Effect": "Allow",
        "Resource": f"{stage}/*",
    }
    return {
        "principalId": key.id,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {
            "key_id": key.id,
            "scopes": " ".join(key.scopes),
            "portfolios": "*" if key.portfolios is None else ",".join(key.portfolios),
            "generation": str(generation),
        },
    }


def _refuse(reason: str, key_id: str | None, source: str) -> NoReturn:
    """Count it, log why, and tell the caller nothing but 401."""
    _attempts.failed(key_id, source, time.monotonic())
    _log(f"refused: {reason}", key_id, source=source, FailedAttempts=1, _aws=_embedded())
    raise Exception("Unauthorized")  # noqa: TRY002 the gateway knows this message only


def _embedded() -> dict[str, Any]:
    """What makes CloudWatch count a log line: its embedded metric format."""
    metric = {"Name": "FailedAttempts", "Unit": "Count"}
    directive = {"Namespace": "Trading", "Dimensions": [["service"]], "Metrics": [metric]}
    return {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}


def _log(message: str, key_id: str | None, **more: Any) -> None:
    """Write one structured line (Powertools' logger would add its import to every cold start)."""
    print(json.dumps({"service": "authorizer", "message": message, "key_id": key_id, **more}))
