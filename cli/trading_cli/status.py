"""`trading status`: what is deployed, whether it is well, what waits, how fresh prices are."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
from rich.text import Text

from trading.adapters.dynamodb import keys
from trading.adapters.dynamodb.store import Store
from trading.adapters.sqs.execution_queue import queue_depth
from trading_cli.local import StackName, current_stack
from trading_cli.output import console, table
from trading_cli.stack import Stack

SERVICES = (
    "keys",
    "market",
    "signals",
    "recommendations",
    "orders",
    "portfolio",
    "risk",
    "backtests",
)
"""The route prefixes that answer ``/health``."""


def status(stack_name: StackName = None) -> None:
    """Show the stack, each service's health, the queues' depth and the newest prices."""
    stack = current_stack(stack_name)
    console.print(f"Stack [bold]{stack.name}[/] at {stack.api_url}", soft_wrap=True)
    table("Services", ("route", "health", "checks"), _health(stack))
    table("Queues", ("queue", "#waiting", "#in flight"), _queues(stack))
    table("Newest prices", ("symbol", "#price", "time"), _prices(stack))


def _health(stack: Stack) -> Iterator[tuple[str, Text, str]]:
    """Ask each service how it is."""
    for service in SERVICES:
        try:
            answer = httpx.get(
                f"{stack.api_url}/{service}/health",
                timeout=30,
                trust_env=not stack.target.endpoint,
            )
            body = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            yield f"/{service}", Text("no answer", "red"), str(error)
            continue
        checks = body.get("checks", {}) if isinstance(body, dict) else {}
        said = ", ".join(
            f"{name}: {check.get('detail') or check.get('status') or check}"
            if isinstance(check, dict)
            else f"{name}: {check}"
            for name, check in checks.items()
        )
        good = answer.is_success
        verdict = Text("good", "green") if good else Text(f"{answer.status_code}", "red")
        yield f"/{service}", verdict, said


def _queues(stack: Stack) -> Iterator[tuple[str, int, int]]:
    """Count the messages in the queue to execution and in its dead letters."""
    client = stack.target.client("sqs")
    for name in ("ExecutionQueue", "ExecutionDeadLetterQueue"):
        depth = queue_depth(client, stack.resource(name))
        yield name, depth["waiting"], depth["in_flight"]


def _prices(stack: Stack) -> Iterator[tuple[str, str, str]]:
    """Read the latest price of every symbol."""
    store = Store(stack.target.client("dynamodb"))
    for item in store.query(stack.resource("MarketTable"), keys.PRICES):
        yield item["symbol"], str(item["price"]), str(item["time"])
