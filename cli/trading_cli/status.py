"""`trading status`: the whole system, read part by part.

A part that cannot be read says why in its own place; the others are still shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, TypeVar

import httpx
import typer

from trading.adapters.sqs.execution_queue import queue_depth
from trading.domain.portfolio import TradingState
from trading_cli.halt import desk_of
from trading_cli.local import StackName, current_stack
from trading_cli.output import console
from trading_cli.spending import Spending, read_spending
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
QUEUES = {"ExecutionQueue": False, "ExecutionDeadLetterQueue": True}
"""The queues, and whether what is in them are dead letters."""
T = TypeVar("T")
MAX_ALARM_NAMES = 100
"""What CloudWatch describes in one request."""


@dataclass(frozen=True)
class Failed:
    """A part that could not be read."""

    why: str


@dataclass(frozen=True)
class Service:
    """A service's health; ``failing`` is what it says is not well."""

    name: str
    well: bool
    failing: str


@dataclass(frozen=True)
class Queue:
    """A queue; the age of its oldest message is None where it is not known."""

    name: str
    waiting: int
    in_flight: int
    oldest_seconds: int | None
    dead_letters: bool


@dataclass(frozen=True)
class Alarm:
    """An alarm with its state and the reason of it."""

    name: str
    state: str
    reason: str


@dataclass(frozen=True)
class Schedule:
    """A schedule."""

    name: str
    expression: str
    state: str


@dataclass(frozen=True)
class PortfolioState:
    """A portfolio; equity is that of the newest snapshot, drawdown is percent below the peak."""

    id: str
    mode: str
    state: str
    reason: str | None
    since: datetime | None
    equity: Decimal | None
    drawdown_percent: Decimal | None
    currency: str

    @property
    def restricted(self) -> bool:
        """Whether it may not trade freely."""
        return self.state != TradingState.ACTIVE


@dataclass(frozen=True)
class PriceState:
    """A symbol's price and how old its instrument lets one be; None without an instrument."""

    symbol: str
    price: Decimal
    time: datetime
    age_seconds: int
    max_age_seconds: int | None

    @property
    def stale(self) -> bool:
        """Whether the ``stale_price`` rule refuses it."""
        return self.max_age_seconds is not None and self.age_seconds > self.max_age_seconds


@dataclass(frozen=True)
class Status:
    """Everything that the screen shows."""

    stack: str
    api_url: str
    time: datetime
    services: list[Service] | Failed
    queues: list[Queue] | Failed
    alarms: list[Alarm] | Failed
    schedules: list[Schedule] | Failed
    portfolios: list[PortfolioState] | Failed
    prices: list[PriceState] | Failed
    spending: Spending | Failed


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    stack_name: StackName = None,
) -> None:
    """Show the whole system: health, queues, alarms, schedules, portfolios, prices, spending."""
    from trading_cli.status_screen import screen

    stack = current_stack(stack_name)
    read = read_status(stack, datetime.now(UTC))
    if as_json:
        typer.echo(json.dumps(asdict(read), default=_plain, indent=2))
    else:
        console.print(screen(read))


def read_status(stack: Stack, now: datetime) -> Status:
    """Read every part on its own."""
    schedules = attempt(lambda: read_schedules(stack))
    return Status(
        stack=stack.name,
        api_url=stack.api_url,
        time=now,
        services=attempt(lambda: read_services(stack)),
        queues=attempt(lambda: read_queues(stack, now)),
        alarms=attempt(lambda: read_alarms(stack)),
        schedules=schedules,
        portfolios=attempt(lambda: read_portfolios(stack)),
        prices=attempt(lambda: read_prices(stack, now)),
        spending=attempt(lambda: _spending(stack, now, schedules)),
    )


def attempt(read: Callable[[], T]) -> T | Failed:
    """What was read, or why it could not be."""
    try:
        return read()
    except Exception as error:  # noqa: BLE001 - whatever failed, the other parts are shown
        return Failed(f"{type(error).__name__}: {error}")


def _spending(stack: Stack, now: datetime, schedules: list[Schedule] | Failed) -> Spending:
    """Estimate the bill; schedules that cannot be read are said to be so in their own place."""
    known = [] if isinstance(schedules, Failed) else schedules
    return read_spending(stack, now, [s.expression for s in known if s.state == "ENABLED"])


def read_services(stack: Stack) -> list[Service]:
    """Ask all services at once how they are."""
    with ThreadPoolExecutor(len(SERVICES)) as pool:
        return list(pool.map(lambda name: _service(stack, name), SERVICES))


def _service(stack: Stack, name: str) -> Service:
    """Ask one service."""
    try:
        answer = httpx.get(
            f"{stack.api_url}/{name}/health", timeout=30, trust_env=not stack.target.endpoint
        )
        body = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        return Service(name, well=False, failing=f"no answer: {error}")
    if answer.is_success:
        return Service(name, well=True, failing="")
    checks = body.get("checks", {}) if isinstance(body, dict) else {}
    said = [f"{check}: {detail}" for check, detail in map(_said, checks.items()) if detail]
    return Service(name, well=False, failing=", ".join(said) or f"answers {answer.status_code}")


def _said(item: tuple[str, Any]) -> tuple[str, str]:
    """A check's name, and what it says if it is not well."""
    name, check = item
    state = check.get("status") if isinstance(check, dict) else check
    if state in ("ok", "good", "healthy", "pass", True):
        return name, ""
    return name, str((isinstance(check, dict) and check.get("detail")) or state or check)


def read_queues(stack: Stack, now: datetime) -> list[Queue]:
    """Count what waits in the queue to execution and in its dead letters."""
    client = stack.target.client("sqs")
    found = []
    for name, dead in QUEUES.items():
        address = stack.resource(name)
        depth = queue_depth(client, address)
        # A figure that lacks permission must not hide the depth.
        age = attempt(lambda address=address: _oldest(stack, address, now))  # type: ignore[misc]
        seconds = None if isinstance(age, Failed) else age
        found.append(Queue(name, depth["waiting"], depth["in_flight"], seconds, dead))
    return found


def _oldest(stack: Stack, address: str, now: datetime) -> int | None:
    """The newest known age of a queue's oldest message, in seconds."""
    metric = {
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateAgeOfOldestMessage",
        "Dimensions": [{"Name": "QueueName", "Value": address.rsplit("/", 1)[-1]}],
    }
    answer = stack.target.client("cloudwatch").get_metric_data(
        MetricDataQueries=[
            {"Id": "age", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"}}
        ],
        StartTime=now - timedelta(minutes=15),
        EndTime=now,
        ScanBy="TimestampDescending",
    )
    values = [v for result in answer["MetricDataResults"] for v in result["Values"]]
    return int(values[0]) if values else None


def read_alarms(stack: Stack) -> list[Alarm]:
    """Read the stack's own alarms, not the account's."""
    names = list(stack.of_type("AWS::CloudWatch::Alarm").values())
    client = stack.target.client("cloudwatch")
    found = []
    for start in range(0, len(names), MAX_ALARM_NAMES):
        part = names[start : start + MAX_ALARM_NAMES]
        answer = client.describe_alarms(AlarmNames=part, MaxRecords=MAX_ALARM_NAMES)
        found += [
            Alarm(a["AlarmName"], a["StateValue"], a.get("StateReason", ""))
            for a in answer["MetricAlarms"]
        ]
    # One that was deleted by hand watches nothing: it must not pass for well.
    gone = set(names) - {a.name for a in found}
    return found + [Alarm(name, "MISSING", "CloudWatch has no such alarm") for name in sorted(gone)]


def read_schedules(stack: Stack) -> list[Schedule]:
    """Read the stack's schedules."""
    client = stack.target.client("scheduler")
    found = []
    for name in stack.of_type("AWS::Scheduler::Schedule").values():
        read = client.get_schedule(Name=name.rsplit("/", 1)[-1])
        found.append(Schedule(read["Name"], read["ScheduleExpression"], read["State"]))
    return sorted(found, key=lambda s: s.name)


def read_portfolios(stack: Stack) -> list[PortfolioState]:
    """Read every portfolio's state, with its newest equity of the last two days."""
    desk = desk_of(stack)
    found = []
    for pid in desk.portfolios.ids():
        account = desk.portfolios.find(pid)
        if account is None:
            continue
        start = datetime.now(UTC) - timedelta(days=2)
        snapshots = desk.portfolios.equity(pid, start, None)
        equity = snapshots[-1].equity if snapshots else None
        marks = desk.risk.marks(pid)
        drawdown = None
        if equity is not None and marks is not None and marks.peak > 0:
            drawdown = marks.drawdown_percent(equity)
        found.append(
            PortfolioState(
                id=pid,
                mode=str(account.mode),
                state=str(account.trading_state),
                reason=account.trading_state_reason,
                since=account.trading_state_since,
                equity=equity,
                drawdown_percent=drawdown,
                currency=account.base_currency,
            )
        )
    return found


def read_prices(stack: Stack, now: datetime) -> list[PriceState]:
    """Read the latest prices, each held against its instrument's greatest age of a price."""
    market = desk_of(stack).market
    limits = {i.symbol: i.max_price_age_seconds for i in market.instruments()}
    return [
        PriceState(
            symbol=price.symbol,
            price=price.price,
            time=price.time,
            age_seconds=int((now - price.time).total_seconds()),
            max_age_seconds=limits.get(price.symbol),
        )
        for price in market.latest_prices()
    ]


def _plain(value: object) -> str:
    """Decimals and times as JSON has them: text."""
    return value.isoformat() if isinstance(value, datetime) else str(value)
