"""Billed units: what one executed order costs in DynamoDB units and SQS requests.

The real handlers run in this process against the emulator; ``meter`` says how units are counted. An
order comes in two ways: by ``POST /orders``, and as a recommendation through the queue
(posted, sent, received, executed, deleted). What Lambda's poller asks of SQS is done here in its
place: one receive and one delete per batch, and every batch holds one message, the dearest case.

    python -m benchmarks.billed_units [--past 10 100 1000]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3

from benchmarks.machine import described
from benchmarks.meter import Meter, Work, logging_to
from tests.conftest import forget_cached_parts
from tests.support import aws
from tests.support.http import Answer, Context, invoke
from trading_cli import emulator

SYMBOLS = ("AAPL", "IBM")
_INSTRUMENT = {"base_currency": "ACME", "quote_currency": "USD", "tick_size": "0.01",
               "lot_size": "1", "min_notional": "1"}  # fmt: skip
_CANDLES = 120


@dataclass
class Platform:
    """The handlers on an emulator of their own, with one portfolio and two symbols."""

    meter: Meter
    queue: str
    key: str = ""
    past: int = 0
    _numbers: Iterator[int] = field(default_factory=lambda: iter(range(10**9)))

    def open(self) -> None:
        """Register symbols with candles and prices, make a key, open the portfolio."""
        import keys.handler
        import market.handler
        import portfolio.handler
        import risk.handler

        for symbol in SYMBOLS:
            self.ask(market.handler.api, "PUT", f"/market/instruments/{symbol}", _INSTRUMENT)
            candles = {"symbol": symbol, "timeframe": "1d", "candles": list(_candles())}
            self.ask(market.handler.api, "POST", "/market/candles", candles)
        prices = [{"symbol": symbol, "price": "100"} for symbol in SYMBOLS]
        self.ask(market.handler.api, "POST", "/market/prices", {"prices": prices})
        terms = {"base_currency": "USD", "cash": "1000000", "commission_rate": "0.001"}
        self.ask(portfolio.handler.api, "PUT", "/portfolio/main", terms)
        self.ask(risk.handler.api, "PUT", "/risk/main/limits", {"max_daily_trades": 1_000_000})
        made = self.ask(
            keys.handler.api, "POST", "/keys", {"name": "bench", "scopes": ["execution:write"]}
        )
        self.key = made.json["key"]

    def ask(self, handler: Any, method: str, path: str, body: Any = None) -> Answer:
        """Make a request that must succeed."""
        headers = {"Idempotency-Key": f"key-{next(self._numbers):08d}"}
        answer = invoke(handler, method, path, body, headers)
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.text}")
        return answer

    def _body(self) -> dict[str, str]:
        """Buy and sell in turn, so that the books look alike before every second order."""
        self.past += 1
        side = "buy" if self.past % 2 else "sell"
        return {"portfolio_id": "main", "symbol": SYMBOLS[0], "side": side, "quantity": "7"}

    def past_orders(self, count: int) -> None:
        """Execute orders until there are so many."""
        from trading.desk import desk
        from trading.domain.order import OrderType, Side
        from trading.domain.order_request import OrderRequest
        from trading.usecases.place_order import place_order

        while self.past < count:
            body = self._body()
            request = OrderRequest(
                portfolio_id=body["portfolio_id"],
                symbol=body["symbol"],
                side=Side(body["side"]),
                type=OrderType.MARKET,
                quantity=Decimal(body["quantity"]),
                limit_price=None,
                cause=f"request:bench:{next(self._numbers):08d}",
                correlation_id="bench",
            )
            placed = place_order(desk(), request).order
            if placed.execution_status != "filled":
                raise RuntimeError(f"a past order is {placed.execution_status}: {placed.reason}")

    def order(self) -> Work:
        """Execute one order by HTTP."""
        import execution.handler

        with self.meter.work() as work:
            answer = self.ask(execution.handler.api, "POST", "/orders", self._body())
        _must(answer.json["execution_status"] == "filled", answer.text)
        return work

    def recommend(self) -> tuple[str, Work]:
        """Post one recommendation, which goes to the queue; returns its id."""
        import recommendations.handler

        with self.meter.work() as work:
            answer = self.ask(recommendations.handler.api, "POST", "/recommendations", self._body())
        identifier: str = answer.json["id"]
        return identifier, work

    def consume(self) -> Work:
        """Take one message from the queue, execute it and delete it, as Lambda's poller does."""
        import execution.handler

        with self.meter.work() as work:
            sqs = boto3.client("sqs")
            message = sqs.receive_message(
                QueueUrl=self.queue, AttributeNames=["All"], WaitTimeSeconds=5
            )["Messages"][0]
            answer = execution.handler.on_recommendations(
                {"Records": [_record(message)]}, Context()
            )
            entry: Any = {"Id": "0", "ReceiptHandle": message["ReceiptHandle"]}
            sqs.delete_message_batch(QueueUrl=self.queue, Entries=[entry])
        _must(answer == {"batchItemFailures": []}, str(answer))
        return work

    def recommended_order(self) -> tuple[Work, Work]:
        """Execute one order by recommendation; returns the work before and after the queue."""
        identifier, before = self.recommend()
        after = self.consume()
        import recommendations.handler

        path = f"/recommendations/{identifier}"
        found = invoke(recommendations.handler.api, "GET", path)
        _must(found.json["execution_status"] == "executed", found.text)
        return before, after

    def authorized(self) -> Work:
        """Let the authorizer check a key, as it does once a minute for each."""
        import authorizer.handler

        event = {"headers": {"x-trading-api-key": self.key},
                 "methodArn": "arn:aws:execute-api:us-east-1:1:api/test/POST/orders"}  # fmt: skip
        with self.meter.work() as work:
            authorizer.handler.authorize(event, Context())
        return work

    def scheduled(self, handler: str) -> Work:
        """Run a schedule's function when there is nothing new to do."""
        module, _, name = handler.rpartition(".")
        entry = getattr(__import__(module, fromlist=[name]), name)
        with self.meter.work() as work:
            entry({}, Context())
        return work


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise RuntimeError(otherwise)


def _candles() -> Iterator[Mapping[str, str]]:
    """A rise and a fall up to yesterday."""
    first = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for day in range(_CANDLES):
        time = first - timedelta(days=_CANDLES - day)
        price = 100 + (day if day < _CANDLES // 2 else _CANDLES - day)
        bar = {name: str(price) for name in ("open", "high", "low", "close")}
        yield {"time": time.isoformat(), "volume": "1000", **bar}


def _record(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message as Lambda hands it to a function."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:ExecutionQueue.fifo",
    }


@contextlib.contextmanager
def platform() -> Iterator[Platform]:
    """Start an emulator with the template's tables and queues and open a platform on it."""
    before = dict(os.environ)
    with emulator.temporary() as local:
        os.environ.update(aws.OTHER_SETTINGS)
        os.environ.update({variable: table for table, variable in aws.ENVIRONMENT.items()})
        os.environ["AWS_ENDPOINT_URL"] = f"http://{emulator.HOST}:{local.port}"
        forget_cached_parts()
        try:
            with logging_to(io.StringIO()), Meter().listen() as meter:
                aws.create_tables()
                urls = aws.create_queues()
                os.environ.update(urls)
                opened = Platform(meter, urls["EXECUTION_QUEUE_URL"])
                opened.open()
                yield opened
        finally:
            os.environ.clear()
            os.environ.update(before)
            forget_cached_parts()


def report(past: list[int]) -> Iterator[str]:
    """Count units after so many past orders, line by line."""
    yield f"Billed units per executed order. {described()}."
    yield f"{'':34} {'reads':>6} {'writes':>6} {'SQS':>3} {'reported':>8}  calls"
    with platform() as running:
        for count in past:
            running.past_orders(count)
            yield _line(f"POST /orders after {count}", running.order())
            before, after = running.recommended_order()
            yield _line("  recommendation, up to the queue", before)
            yield _line("  its order, from the queue", after)
        yield _line("authorizer, a key not in its cache", running.authorized())


def _line(title: str, work: Work) -> str:
    units = work.units
    return (
        f"{title:34} {units.reads:6} {units.writes:6} {units.queue:3} {units.reported:8}"
        f"  {', '.join(work.calls)}"
    )


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--past", type=int, nargs="+", default=[10, 100, 1000])
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        for line in report(parser.parse_args().past):
            print(line, file=sys.__stdout__, flush=True)


if __name__ == "__main__":
    main()
