"""``GET /portfolio/{pid}/positions`` by hand: FastAPI, Mangum, boto3 and json, nothing of ours.

It makes the same three DynamoDB calls as the platform's route and gives the same answer, without
scopes, log lines, exact JSON, models, repositories, or errors that anybody would want to read.
"""

from __future__ import annotations

import functools
import json
import os
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import boto3
from fastapi import FastAPI, Response
from mangum import Mangum

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
api = Mangum(app, lifespan="off")


@functools.cache
def client() -> DynamoDBClient:
    """Make the client on first use."""
    return boto3.client("dynamodb")


@app.get("/portfolio/{pid}/positions")
def get_positions(pid: str) -> Response:
    """All holdings at the latest prices."""
    partition = f"PORTFOLIO#{pid}"
    account = client().get_item(
        TableName=os.environ["PORTFOLIO_TABLE"],
        Key={"pk": {"S": partition}, "sk": {"S": "ACCOUNT"}},
        ConsistentRead=True,
    )
    if "Item" not in account:
        return Response("{}", 404, media_type="application/json")
    held = client().query(
        TableName=os.environ["PORTFOLIO_TABLE"],
        KeyConditionExpression="#p = :p AND #s BETWEEN :a AND :b",
        ExpressionAttributeNames={"#p": "pk", "#s": "sk"},
        ExpressionAttributeValues={
            ":p": {"S": partition},
            ":a": {"S": "POSITION#"},
            ":b": {"S": "POSITION#\uffff"},
        },
        ScanIndexForward=True,
        ConsistentRead=True,
    )["Items"]
    prices = _prices([item["symbol"]["S"] for item in held])
    items = [_position(item, prices[item["symbol"]["S"]]) for item in held]
    return Response(json.dumps({"items": items, "cursor": None}), media_type="application/json")


def _prices(symbols: list[str]) -> dict[str, Any]:
    """Latest prices by symbol."""
    table = os.environ["MARKET_TABLE"]
    keys: Any = [{"pk": {"S": "PRICES"}, "sk": {"S": symbol}} for symbol in symbols]
    answer = client().batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
    return {item["symbol"]["S"]: item for item in answer["Responses"][table]}


def _position(item: Any, known: Any) -> dict[str, Any]:
    """One holding's figures."""
    quantity, cost = Decimal(item["quantity"]["N"]), Decimal(item["cost_basis"]["N"])
    price = Decimal(known["price"]["N"])
    average = (cost / quantity).quantize(Decimal("1e-16"))
    return {
        "symbol": item["symbol"]["S"],
        "currency": item["currency"]["S"],
        "quantity": _text(quantity),
        "average_cost": _text(average),
        "cost_basis": _text(cost),
        "price": _text(price),
        "price_time": known["time"]["S"],
        "market_value": _text(quantity * price),
        "unrealized_pnl": _text(quantity * price - cost),
        "realized_pnl": _text(Decimal(item["realized_pnl"]["N"])),
        "fees": _text(Decimal(item["fees"]["N"])),
        "reserved_quantity": _text(Decimal(item["reserved_quantity"]["N"])),
    }


def _text(value: Decimal) -> str:
    """An amount without exponent and trailing zeros."""
    return format(value.normalize(), "f")
