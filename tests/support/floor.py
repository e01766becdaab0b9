"""A trading floor in memory: services called as the gateway does, an instrument, a portfolio."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from tests.support.http import ALL_SCOPES, Answer, invoke

SERVICES = {
    "keys": "keys",
    "market": "market",
    "signals": "signals",
    "recommendations": "recommendations",
    "orders": "execution",
    "executions": "execution",
    "portfolio": "portfolio",
    "risk": "risk",
    "backtests": "backtesting",
}
INSTRUMENT = {
    "base_currency": "ACME",
    "quote_currency": "USD",
    "tick_size": "0.01",
    "lot_size": "1",
    "min_notional": "10",
    "max_price_age_seconds": 3600,
}
_keys = itertools.count()


def call(
    method: str,
    path: str,
    body: Any = None,
    *,
    key: str | None = None,
    headers: Mapping[str, str] | None = None,
    scopes: Iterable[str] | None = ALL_SCOPES,
    portfolios: Iterable[str] | None = None,
    key_id: str = "testkey",
) -> Answer:
    """Call the service that a path belongs to; ``key`` is the Idempotency-Key."""
    service = SERVICES.get(path.split("/")[1].split("?")[0], "execution")
    handler = importlib.import_module(f"{service}.handler")
    sent = dict(headers or {}) | ({"Idempotency-Key": key} if key else {})
    return invoke(handler.api, method, path, body, sent, scopes, portfolios, key_id)


def good(method: str, path: str, body: Any = None, **more: Any) -> Any:
    """Call and expect success; returns the JSON."""
    answer = call(method, path, body, **more)
    assert 200 <= answer.status < 300, answer.text
    return answer.json


def open_floor(
    portfolio_id: str = "main",
    cash: str = "10000",
    limits: Mapping[str, Any] | None = None,
    **terms: Any,
) -> None:
    """Register ACME at 100 USD, and open a portfolio without limits unless some are given."""
    good("PUT", "/market/instruments/ACME", INSTRUMENT)
    set_price("100")
    body = {"base_currency": "USD", "cash": cash, "commission_rate": "0.001", **terms}
    good("PUT", f"/portfolio/{portfolio_id}", body)
    good("PUT", f"/risk/{portfolio_id}/limits", dict(limits or {}))


def set_price(price: str, **more: str) -> None:
    """Post ACME's price."""
    good("POST", "/market/prices", {"prices": [{"symbol": "ACME", "price": price, **more}]})


def order(quantity: Any = "10", side: str = "buy", **more: Any) -> dict[str, Any]:
    """The body of a market order for ACME."""
    return {"portfolio_id": "main", "symbol": "ACME", "side": side, "quantity": quantity, **more}


def place(quantity: Any = "10", side: str = "buy", key: str | None = None, **more: Any) -> Answer:
    """Place an order under a key of its own."""
    return call("POST", "/orders", order(quantity, side, **more), key=key or f"k{next(_keys)}")


def books(portfolio_id: str = "main") -> dict[str, Any]:
    """All that an order could leave a trace in: money, holdings, ledger, counters."""
    from trading.desk import desk

    portfolio = desk().books.portfolio(portfolio_id)
    now = desk().books.now(portfolio.account)
    return {
        "account": portfolio.account,
        "positions": dict(portfolio.positions),
        "ledger": desk().portfolios.ledger(portfolio_id),
        "trades": desk().books.trades_on(portfolio_id, now.date()),
    }


def drain() -> dict[str, Any]:
    """Hand everything in the queue to its consumer, as Lambda's event source mapping does."""
    from execution.handler import on_recommendations
    from tests.support.http import Context
    from trading import bootstrap
    from trading.settings import settings

    client, url = bootstrap.queue_client(), settings().execution_queue_url
    found = client.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        AttributeNames=["All"],
        MessageAttributeNames=["All"],
    )
    records = [
        {
            "messageId": m["MessageId"],
            "receiptHandle": m["ReceiptHandle"],
            "body": m["Body"],
            "attributes": m["Attributes"],
            "messageAttributes": {
                name: {"stringValue": a["StringValue"], "dataType": a["DataType"]}
                for name, a in m.get("MessageAttributes", {}).items()
            },
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:q.fifo",
            "awsRegion": "us-east-1",
        }
        for m in found.get("Messages", [])
    ]
    answer = on_recommendations({"Records": records}, Context())
    failed = {f["itemIdentifier"] for f in answer["batchItemFailures"]}
    for record in records:
        if record["messageId"] not in failed:
            client.delete_message(QueueUrl=url, ReceiptHandle=record["receiptHandle"])
    return answer
