"""The least that a Lambda of this kind can be: FastAPI, Mangum and boto3, one route, no platform.

Benchmarks set the platform's handlers beside it. Like theirs, its DynamoDB client is made on first
use and not on import.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import boto3
from fastapi import FastAPI
from mangum import Mangum

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
api = Mangum(app, lifespan="off")


@functools.cache
def client() -> DynamoDBClient:
    """Make the client on first use."""
    return boto3.client("dynamodb")


@app.get("/health")
def get_health() -> dict[str, str]:
    """Answer that all is well."""
    return {"status": "ok"}
