"""The composition root: from the environment to clients and adapters, one small function each.

Everything is made on first use and kept for the life of the process. Callers import the module
(``from trading import bootstrap``) and call ``bootstrap.store()``, so that tests can replace parts.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3

from trading.adapters.dynamodb.api_keys import ApiKeys
from trading.adapters.dynamodb.audit import AuditTrail
from trading.adapters.dynamodb.store import Store
from trading.client_config import client_config
from trading.settings import settings

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient


@functools.cache
def store() -> Store:
    """DynamoDB."""
    return Store(boto3.client("dynamodb", config=client_config()))


@functools.cache
def queue_client() -> SQSClient:
    """SQS."""
    return boto3.client("sqs", config=client_config())


@functools.cache
def object_store() -> Any:
    """S3."""
    return boto3.client("s3", config=client_config())


@functools.cache
def function_client() -> Any:
    """Lambda, to start functions with."""
    return boto3.client("lambda", config=client_config())


@functools.cache
def workflow_client() -> Any:
    """Step Functions."""
    return boto3.client("stepfunctions", config=client_config())


def wall_clock() -> datetime:
    """Return the present moment (UTC)."""
    return datetime.now(UTC)


@functools.cache
def api_keys() -> ApiKeys:
    """Return the repository of API keys."""
    return ApiKeys(store(), settings().keys_table)


@functools.cache
def audit_trail() -> AuditTrail:
    """Return the audit trail."""
    return AuditTrail(store(), settings().audit_table)
