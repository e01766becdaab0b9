"""Contention: writers in 16 processes on one portfolio, at once, against the emulator's tables.

Every writer places its orders by the use case that ``POST /orders`` calls, with clients of its
own. What must hold is checked after each scene: no update lost (cash, units and counters are what
the orders that passed add up to, and the ledger rebuilds to the same), and no cap exceeded. A
writer that is told that the books are too busy asks again with the same cause, as a client does.

Beside it, in the same run: the same orders by a naive writer, which reads cash and count, decides,
and puts the item back without a guard. What it loses shows what the guard is for; what it saves in
time is the price of the guard.

    python -m benchmarks.contention [--writers 16] [--orders 10]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3

from benchmarks.audit import audit
from benchmarks.floor import INSTRUMENT, emulated
from benchmarks.machine import described
from benchmarks.meter import logging_to
from tests.conftest import forget_cached_parts
from tests.support.http import invoke

SYMBOL = "ACME"
PRICE = Decimal(100)
QUANTITY = Decimal(10)
NOTIONAL = PRICE * QUANTITY
CASH = Decimal(100_000_000)
_forks = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Scene:
    """One portfolio that all writers want; ``allowed`` is how many orders may pass (None: all).

    ``limit_price`` makes the orders rest. ``reason`` is why the others must be rejected.
    """

    name: str
    limits: dict[str, Any]
    cash: Decimal = CASH
    allowed: int | None = None
    reason: str | None = None
    limit_price: Decimal | None = None

    @property
    def portfolio_id(self) -> str:
        """The portfolio of the scene."""
        return self.name.replace(" ", "-")


OFF: dict[str, Any] = {
    "max_allocation_percent": None,
    "max_symbol_exposure_percent": None,
    "max_daily_trades": None,
}


def scenes(total: int) -> list[Scene]:
    """What is contended for, with room for about half of so many orders."""
    room = total // 2
    some = (room + Decimal("0.5")) * NOTIONAL
    return [
        Scene("nothing capped", OFF),
        Scene("daily trades", OFF | {"max_daily_trades": room}, CASH, room, "daily_trades"),
        Scene("cash", OFF, some, room, "cash_available"),
        Scene(
            "symbol exposure",
            OFF | {"max_symbol_exposure_percent": str(some / CASH * 100)},
            CASH, room, "symbol_exposure",
        ),
        Scene("position notional", OFF | {"max_position_notional": str(some)}, CASH, room,
              "position_notional"),
        Scene("gross leverage", OFF | {"max_gross_leverage": str(some / CASH)}, CASH, room,
              "gross_leverage"),
        Scene("cash of resting orders", OFF, some * Decimal("0.9"), room, "cash_available",
              limit_price=PRICE * 9 / 10),
        Scene("open orders", OFF | {"max_open_orders": room}, CASH, room, "open_orders",
              limit_price=PRICE * 9 / 10),
    ]  # fmt: skip


@dataclass
class Result:
    """What the writers of a scene were told, and how hard it was."""

    answers: Counter[str] = field(default_factory=Counter)
    tries: int = 0
    busy: int = 0
    seconds: float = 0.0
    lost: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def orders(self) -> int:
        """How many orders were answered."""
        return sum(self.answers.values())

    @property
    def passed(self) -> int:
        """How many were not rejected."""
        return sum(n for answer, n in self.answers.items() if not answer.startswith("rejected"))

    def over(self, scene: Scene) -> int:
        """By how many orders a cap was exceeded."""
        return 0 if scene.allowed is None else max(0, self.passed - scene.allowed)


Writer = Callable[[Scene, int, int], tuple[Counter[str], int, int]]
"""From a scene, the writer's number and its orders to answers, tries and busy answers."""


def guarded(scene: Scene, number: int, orders: int) -> tuple[Counter[str], int, int]:
    """Place orders as the execution service does."""
    from trading.desk import desk
    from trading.domain.errors import ConcurrentUpdate
    from trading.usecases.place_order import place_order

    answers: Counter[str] = Counter()
    tries = busy = 0
    books, commit = desk().books, desk().books.commit

    def counted(change: Any) -> None:
        nonlocal tries
        tries += 1
        commit(change)

    vars(books)["commit"] = counted
    for i in range(orders):
        while True:
            try:
                order = place_order(desk(), order_request(scene, f"{number}:{i}")).order
                break
            except ConcurrentUpdate:
                busy += 1
        answers[f"{order.execution_status} {order.reason or ''}".strip()] += 1
    return answers, tries, busy


def order_request(scene: Scene, cause: str) -> Any:
    """One order of a scene."""
    from trading.domain.order import OrderType, Side
    from trading.domain.order_request import OrderRequest

    return OrderRequest(
        portfolio_id=scene.portfolio_id,
        symbol=SYMBOL,
        side=Side.BUY,
        type=OrderType.MARKET if scene.limit_price is None else OrderType.LIMIT,
        quantity=QUANTITY,
        limit_price=scene.limit_price,
        cause=f"contention:{cause}",
        correlation_id="contention",
    )


def naive(scene: Scene, number: int, orders: int) -> tuple[Counter[str], int, int]:
    """Read, decide, write back, with no guard: cash, units and count in one item.

    Whatever the scene's cap is, here it is the count of orders that has room under it.
    """
    client = boto3.client("dynamodb")
    key = {"pk": {"S": f"NAIVE#{scene.portfolio_id}"}, "sk": {"S": "ACCOUNT"}}
    answers: Counter[str] = Counter()
    for i in range(orders):
        item = client.get_item(TableName="PortfolioTable", Key=key, ConsistentRead=True)["Item"]
        cash, units, count = (Decimal(item[name]["N"]) for name in ("cash", "units", "count"))
        # Three reads more, as the guarded writer has: what it decides on is as old by then.
        for sk in ("LIMITS", "PRICE", f"ORDER#{number}:{i}"):
            client.get_item(
                TableName="PortfolioTable", Key=key | {"sk": {"S": sk}}, ConsistentRead=True
            )
        cost = (scene.limit_price or PRICE) * QUANTITY
        if cash < cost or (scene.allowed is not None and count >= scene.allowed):
            answers["rejected"] += 1
            continue
        after = {"cash": cash - cost, "units": units + QUANTITY, "count": count + 1}
        client.put_item(
            TableName="PortfolioTable",
            Item=key | {name: {"N": str(value)} for name, value in after.items()},
        )
        answers["filled"] += 1
    return answers, orders, 0


def race(writer: Writer, scene: Scene, writers: int, orders: int) -> Result:
    """Let all writers go at the same moment, each a process, and gather what they were told."""
    barrier, results = _forks.Barrier(writers + 1), _forks.SimpleQueue()

    def one(number: int) -> None:
        forget_cached_parts()
        boto3.DEFAULT_SESSION = None
        with logging_to(io.StringIO()):
            barrier.wait()
            results.put(writer(scene, number, orders))

    processes = [_forks.Process(target=one, args=(n,), daemon=True) for n in range(writers)]
    for process in processes:
        process.start()
    barrier.wait()
    start = time.perf_counter()
    result = Result()
    for _ in processes:
        answers, tries, busy = results.get()
        result.answers += answers
        result.tries += tries
        result.busy += busy
    result.seconds = time.perf_counter() - start
    for process in processes:
        process.join()
    return result


def open_guarded(scene: Scene) -> None:
    """Open the scene's portfolio by the real handlers."""
    import market.handler
    import portfolio.handler
    import risk.handler

    pid, cash = scene.portfolio_id, str(scene.cash)
    price = {"symbol": SYMBOL, "price": str(PRICE)}
    for handler, method, path, body in (
        (market.handler.api, "PUT", f"/market/instruments/{SYMBOL}", INSTRUMENT),
        (market.handler.api, "POST", "/market/prices", {"prices": [price]}),
        (portfolio.handler.api, "PUT", f"/portfolio/{pid}", {"base_currency": "USD", "cash": cash}),
        (risk.handler.api, "PUT", f"/risk/{pid}/limits", scene.limits),
    ):
        answer = invoke(handler, method, path, body, {"Idempotency-Key": f"{pid}{path}"})
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.text}")


def check_guarded(scene: Scene, result: Result, total: int) -> None:
    """Compare what the writers were told with the books; adds the problems to the result."""
    from trading.desk import desk

    found = audit([scene.portfolio_id])
    portfolio = desk().books.portfolio(scene.portfolio_id)
    passed = Decimal(result.passed)
    spent = (scene.limit_price or PRICE) * QUANTITY * passed
    position = portfolio.position(SYMBOL, "USD")
    account = portfolio.account
    rests = scene.limit_price is not None
    kept = account.open_orders if rests else int(position.quantity / QUANTITY)
    result.lost = result.passed - kept
    expected = {
        "answers": (result.orders, total),
        "available cash": (account.available("USD"), scene.cash - spent),
        "units": (position.quantity, Decimal(0) if rests else QUANTITY * passed),
        "open orders": (account.open_orders, result.passed if rests else 0),
        "passed": (result.passed, total if scene.allowed is None else scene.allowed),
    }
    for what, (is_, must) in expected.items():
        found.must(is_ == must, f"{what}: {is_}, must be {must}")
    reasons = {a for a in result.answers if a.startswith("rejected")}
    found.must(
        reasons <= {f"rejected {scene.reason}"}, f"rejected for other reasons: {sorted(reasons)}"
    )
    result.problems += found.problems


def open_naive(scene: Scene) -> None:
    """Write the naive writer's one item."""
    item = {"pk": {"S": f"NAIVE#{scene.portfolio_id}"}, "sk": {"S": "ACCOUNT"}}
    values = {"cash": str(scene.cash), "units": "0", "count": "0"}
    numbers = {name: {"N": value} for name, value in values.items()}
    boto3.client("dynamodb").put_item(TableName="PortfolioTable", Item=item | numbers)


def check_naive(scene: Scene, result: Result) -> None:
    """Note how many of the acknowledged orders are not in the item."""
    key = {"pk": {"S": f"NAIVE#{scene.portfolio_id}"}, "sk": {"S": "ACCOUNT"}}
    item = boto3.client("dynamodb").get_item(
        TableName="PortfolioTable", Key=key, ConsistentRead=True
    )["Item"]
    result.lost = result.passed - int(item["count"]["N"])


def report(writers: int, orders: int) -> Iterator[str]:
    """Run all scenes, line by line; raises if the guarded books lost or exceeded anything."""
    total = writers * orders
    yield f"Contention: {writers} writers with {orders} orders each. {described()}."
    yield (
        f"{'':24} {'passed':>6} {'allowed':>7} {'lost':>5} {'over':>5} {'retries/order':>13}"
        f" {'busy':>5} {'orders/s':>8}"
    )
    problems: list[str] = []
    with emulated():
        for scene in scenes(total):
            open_guarded(scene)
            ours = race(guarded, scene, writers, orders)
            check_guarded(scene, ours, total)
            problems += [f"{scene.name}: {problem}" for problem in ours.problems]
            yield _line(scene.name, scene, ours)
            open_naive(scene)
            theirs = race(naive, scene, writers, orders)
            check_naive(scene, theirs)
            yield _line("  naive, no guard", scene, theirs)
    yield f"{len(problems)} disagreements in the guarded books"
    yield from problems[:20]
    if problems:
        raise RuntimeError("updates were lost or caps exceeded")


def _line(title: str, scene: Scene, result: Result) -> str:
    allowed = result.orders if scene.allowed is None else scene.allowed
    retries = (result.tries - result.orders) / result.orders
    return (
        f"{title:24} {result.passed:6} {allowed:7} {result.lost:5} {result.over(scene):5}"
        f" {retries:13.2f} {result.busy:5} {result.orders / result.seconds:8.1f}"
    )


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--writers", type=int, default=16)
    parser.add_argument("--orders", type=int, default=10)
    given = parser.parse_args()
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        for line in report(given.writers, given.orders):
            print(line, file=sys.__stdout__, flush=True)


if __name__ == "__main__":
    main()
