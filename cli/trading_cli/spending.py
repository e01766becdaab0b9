"""What a stack cost this month so far, estimated from CloudWatch's figures and the tariff.

Left out: logs, storage, backups, indexes' own capacity, state machines, transfer. Messages stand
for the queues' requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from trading_cli.stack import Stack
from trading_cli.tariff import PRICES

ZERO = Decimal(0)
MAX_QUERIES = 500
"""What CloudWatch takes in one request."""


@dataclass(frozen=True)
class Metric:
    """A figure of CloudWatch's, and how many billed units one of it is."""

    item: str
    namespace: str
    name: str
    dimensions: Mapping[str, str]
    factor: Decimal = Decimal(1)


@dataclass(frozen=True)
class Spending:
    """US dollars since ``since``: by use, and what is fixed by the month.

    ``used`` is None where CloudWatch has no figures at all.
    """

    since: datetime
    used: Mapping[str, Decimal] | None
    fixed: Mapping[str, Decimal]

    @property
    def total(self) -> Decimal:
        """Both together."""
        return sum([*(self.used or {}).values(), *self.fixed.values()], ZERO)


def month_start(now: datetime) -> datetime:
    """The first moment of a month."""
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def month_fraction(now: datetime) -> Decimal:
    """How much of its month has passed, from 0 to 1."""
    start = month_start(now)
    end = month_start(start + timedelta(days=32))
    return Decimal((now - start) // timedelta(seconds=1)) / Decimal((end - start).total_seconds())


def runs(expressions: Iterable[str], passed: timedelta) -> Decimal:
    """How often ``rate(...)`` schedules ran in a time; those by the calendar are not counted."""
    minutes = {"minute": 1, "hour": 60, "day": 1440}
    found = ZERO
    for expression in expressions:
        if match := re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression):
            every = int(match[1]) * minutes[match[2]]
            found += Decimal(passed // timedelta(seconds=1)) / (60 * every)
    return found


def priced(quantities: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Dollars of quantities by the tariff."""
    return {item: quantity * PRICES[item] for item, quantity in quantities.items()}


def metrics_of(stack: Stack, memory: Mapping[str, int]) -> list[Metric]:
    """The figures that a stack's bill follows from; ``memory`` is megabytes by function name."""
    found = []
    for function, megabytes in memory.items():
        of = {"FunctionName": function}
        # Durations come in milliseconds, the tariff is by gigabytes and seconds.
        size = Decimal(megabytes) / 1024 / 1000
        found += [
            Metric("Lambda requests", "AWS/Lambda", "Invocations", of),
            Metric("Lambda GB-seconds", "AWS/Lambda", "Duration", of, size),
        ]
    for table in stack.of_type("AWS::DynamoDB::Table").values():
        of = {"TableName": table}
        found += [
            Metric("DynamoDB reads", "AWS/DynamoDB", "ConsumedReadCapacityUnits", of),
            Metric("DynamoDB writes", "AWS/DynamoDB", "ConsumedWriteCapacityUnits", of),
        ]
    for address in stack.of_type("AWS::SQS::Queue").values():
        of = {"QueueName": address.rsplit("/", 1)[-1]}
        found += [
            Metric("SQS FIFO requests", "AWS/SQS", f"NumberOf{what}", of)
            for what in ("MessagesSent", "MessagesDeleted", "EmptyReceives")
        ]
    if stack.of_type("AWS::ApiGateway::RestApi"):
        # The template names the API after the stack.
        of = {"ApiName": stack.name}
        found.append(Metric("API Gateway requests", "AWS/ApiGateway", "Count", of))
    return found


def read_spending(stack: Stack, now: datetime, enabled: Iterable[str]) -> Spending:
    """Estimate a stack's bill of this month, as if all stood since its start.

    ``enabled`` are the expressions of the schedules that run. Raises what boto3 raises.
    """
    functions = set(stack.of_type("AWS::Lambda::Function").values())
    pages = stack.target.client("lambda").get_paginator("list_functions").paginate()
    memory = {
        f["FunctionName"]: f["MemorySize"]
        for page in pages
        for f in page["Functions"]
        if f["FunctionName"] in functions
    }
    quantities = _sums(stack.target.client("cloudwatch"), metrics_of(stack, memory), now)
    alarms = len(stack.of_type("AWS::CloudWatch::Alarm"))
    fixed = priced(
        {
            "Alarms": alarms * month_fraction(now),
            "Scheduler invocations": runs(enabled, now - month_start(now)),
        }
    )
    return Spending(month_start(now), priced(quantities) if quantities else None, fixed)


def _sums(client: Any, metrics: list[Metric], now: datetime) -> dict[str, Decimal]:
    """Billed quantities since the start of the month; items without any figure lack."""
    found: dict[str, Decimal] = {}
    for start in range(0, len(metrics), MAX_QUERIES):
        part = metrics[start : start + MAX_QUERIES]
        queries = [_query(f"m{i}", metric) for i, metric in enumerate(part)]
        pages = client.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries, StartTime=month_start(now), EndTime=now
        )
        for result in (r for page in pages for r in page["MetricDataResults"]):
            metric = part[int(result["Id"][1:])]
            for value in result["Values"]:
                amount = Decimal(str(value)) * metric.factor
                found[metric.item] = found.get(metric.item, ZERO) + amount
    return found


def _query(name: str, metric: Metric) -> dict[str, Any]:
    """A query for the daily sums of a figure."""
    dimensions = [{"Name": k, "Value": v} for k, v in metric.dimensions.items()]
    of = {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}
    return {"Id": name, "MetricStat": {"Metric": of, "Period": 86_400, "Stat": "Sum"}}
