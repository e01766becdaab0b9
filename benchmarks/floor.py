"""The handlers of the platform on an emulator of their own, called in this process and counted.

What Lambda's poller asks of SQS is done here in its place: one receive and one delete per batch,
and every batch holds one message, the dearest case.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import boto3

from benchmarks.load_workers import record
from benchmarks.meter import Meter, Work, logging_to
from tests.conftest import forget_cached_parts
from tests.support import aws
from tests.support.http import Answer, Context, invoke
from trading_cli import emulator

SYMBOLS = ("AAPL", "IBM")
INSTRUMENT = {"base_currency": "ACME", "quote_currency": "USD", "tick_size": "0.01",
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
            self.ask(market.handler.api, "PUT", f"/market/instruments/{symbol}", INSTRUMENT)
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

    def place(self, body: Mapping[str, Any], portfolio: str = "main") -> tuple[Any, Work]:
        """Place any order by HTTP; returns the answer's body and the work."""
        import execution.handler

        sent = {"portfolio_id": portfolio, **body}
        with self.meter.work() as work:
            answer = self.ask(execution.handler.api, "POST", "/orders", sent)
        return answer.json, work

    def units(self, symbol: str) -> Decimal:
        """How much of a symbol the portfolio holds."""
        from trading.desk import desk

        return desk().books.portfolio("main").position(symbol, "USD").quantity

    def post_price(self, symbol: str, price: str) -> None:
        """Let the market move."""
        import market.handler

        prices = [{"symbol": symbol, "price": price}]
        self.ask(market.handler.api, "POST", "/market/prices", {"prices": prices})

    def holding(self, portfolio_id: str, positions: int, limits: Mapping[str, Any]) -> None:
        """Open a portfolio with so many positions, written straight into the tables.

        They are in no ledger: the books would not reconcile, but a decision reads the same.
        """
        import portfolio.handler
        import risk.handler
        from trading.adapters.dynamodb import keys
        from trading.adapters.dynamodb.codec import encode
        from trading.bootstrap import store
        from trading.desk import desk
        from trading.domain.candle import Price
        from trading.domain.position import Position

        terms = {"base_currency": "USD", "cash": "1000000", "commission_rate": "0.001"}
        self.ask(portfolio.handler.api, "PUT", f"/portfolio/{portfolio_id}", terms)
        self.ask(risk.handler.api, "PUT", f"/risk/{portfolio_id}/limits", limits)
        now, hundred = desk().wall_clock(), Decimal(100)
        held: list[dict[str, Any]] = []
        prices: list[dict[str, Any]] = []
        for symbol in [SYMBOLS[0], *(f"HELD{i:04d}" for i in range(1, positions))]:
            position = Position(symbol=symbol, currency="USD", quantity=hundred, cost_basis=hundred)
            held.append(encode(position) | keys.position(portfolio_id, symbol))
            if symbol != SYMBOLS[0]:
                price = Price(symbol=symbol, price=hundred, time=now, source="bench")
                prices.append(encode(price) | keys.price(symbol))
        store().put_many(os.environ["PORTFOLIO_TABLE"], held)
        store().put_many(os.environ["MARKET_TABLE"], prices)

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
            answer = execution.handler.on_recommendations({"Records": [record(message)]}, Context())
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


@contextlib.contextmanager
def emulated() -> Iterator[str]:
    """Start an emulator with the template's tables and queues; yields the queue's address."""
    before = dict(os.environ)
    with emulator.temporary() as local:
        os.environ.update(aws.OTHER_SETTINGS)
        os.environ.update({variable: table for table, variable in aws.ENVIRONMENT.items()})
        os.environ["AWS_ENDPOINT_URL"] = f"http://{emulator.HOST}:{local.port}"
        forget_cached_parts()
        boto3.DEFAULT_SESSION = None
        try:
            with logging_to(io.StringIO()):
                aws.create_tables()
                os.environ.update(aws.create_queues())
                yield os.environ["EXECUTION_QUEUE_URL"]
        finally:
            os.environ.clear()
            os.environ.update(before)
            forget_cached_parts()
            boto3.DEFAULT_SESSION = None


@contextlib.contextmanager
def platform() -> Iterator[Platform]:
    """Start an emulator and open a platform on it, with every call counted."""
    with emulated() as queue, Meter().listen() as meter:
        opened = Platform(meter, queue)
        opened.open()
        yield opened
