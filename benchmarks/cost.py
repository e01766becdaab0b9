"""What AWS bills: idle by the month, and for 1,000 executed orders.

Nothing is typed in by hand but prices: units, requests, log bytes and seconds are measured on the
real handlers (``billed_units``), schedules, memory and alarms are read from ``template.yaml``.
Prices are those of ``trading_cli.tariff``.

Seconds come from this machine with an emulator as the database, and are stretched to the share of
a processor that the function's memory buys (1,769 MB buy one), as if all of it were computing.

    python -m benchmarks.cost
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.floor import Platform, platform
from benchmarks.machine import described
from benchmarks.meter import Work
from tests.support.aws import RESOURCES, template
from trading_cli.tariff import PER_GIGABYTE_MONTH, PRICES, PRICES_AS_OF

HOURS = 730
"""Hours of a month."""
POLLS_A_MONTH = 5 * 3 * 60 * HOURS
"""Lambda polls an empty queue with five pollers that wait 20 seconds each (AWS's default)."""
PLATFORM_LOG_BYTES = 350
"""START, END and REPORT lines of one invocation, about."""
ONE_PROCESSOR_MB = 1769
_MINUTES = {"minute": 1, "hour": 60, "day": 1440}

Bill = dict[str, float]


@dataclass(frozen=True)
class Schedule:
    """A schedule of the template as it is by default."""

    function: str
    handler: str
    minutes: int
    enabled: bool

    @property
    def runs(self) -> float:
        """Invocations a month."""
        return HOURS * 60 / self.minutes if self.enabled else 0


def schedules() -> Iterator[Schedule]:
    """Every schedule of the template."""
    parameters = template()["Parameters"]
    for name, resource in RESOURCES.items():
        properties = resource["Properties"]
        for event in properties.get("Events", {}).values():
            if event["Type"] == "ScheduleV2":
                chosen = event["Properties"]
                rate = parameters[chosen["ScheduleExpression"]["Ref"]]["Default"]
                count, unit = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", rate).groups()  # type: ignore[union-attr]
                enabled = parameters[chosen["State"]["Ref"]]["Default"] == "ENABLED"
                minutes = int(count) * _MINUTES[unit]
                yield Schedule(name, properties["Handler"], minutes, enabled)


def alarms() -> int:
    """How many alarms there are unless a parameter or the stage asks for more."""
    every = [r for r in RESOURCES.values() if r["Type"] == "AWS::CloudWatch::Alarm"]
    return sum(1 for alarm in every if "Condition" not in alarm)


def measured(running: Platform, action: Callable[[], Work]) -> Work:
    """Count an action's units, then time it on its own."""
    action()
    counted = action()
    running.meter.counting = False
    try:
        counted.seconds = median(action().seconds for _ in range(7))
    finally:
        running.meter.counting = True
    return counted


def bill(work: Work, function: str, times: float) -> Bill:
    """Quantities of some invocations of a function."""
    memory = RESOURCES[function]["Properties"]["MemorySize"]
    stretched = work.seconds * max(1.0, ONE_PROCESSOR_MB / memory)
    return {
        "DynamoDB reads": float(work.units.reads) * times,
        "DynamoDB writes": float(work.units.writes) * times,
        "SQS FIFO requests": work.units.queue * times,
        "Lambda requests": times,
        "Lambda GB-seconds": stretched * memory / 1024 * times,
        "Log gigabytes": (work.log_bytes + PLATFORM_LOG_BYTES) * times / 1e9,
    }


def added(*bills: Bill) -> Bill:
    """Quantities of several bills together."""
    return {name: sum(part.get(name, 0.0) for part in bills) for name in PRICES}


def table(title: str, quantities: Bill) -> Iterator[str]:
    """A bill with prices, line by line."""
    yield f"\n{title:44} {'quantity':>14} {'US$':>9}"
    for name, quantity in quantities.items():
        if quantity:
            yield f"  {name:42} {quantity:14,.4g} {quantity * float(PRICES[name]):9.4f}"
    total = sum(quantity * float(PRICES[name]) for name, quantity in quantities.items())
    yield f"  {'in all':42} {'':14} {total:9.4f}"


def idle(running: Platform) -> Iterator[str]:
    """A month in which nothing happens: schedules look, alarms watch, the queue is polled."""
    parts: list[Bill] = [{"Alarms": alarms(), "SQS FIFO requests": POLLS_A_MONTH}]
    yield f"\n{'schedule':34} {'runs/month':>10} {'reads':>6} {'writes':>6} {'ms':>6}"
    for schedule in schedules():
        if not schedule.enabled:
            yield f"{schedule.function:34} {'off':>10}"
            continue
        work = measured(running, functools.partial(running.scheduled, schedule.handler))
        parts.append(bill(work, schedule.function, schedule.runs))
        parts.append({"Scheduler invocations": schedule.runs})
        yield (
            f"{schedule.function:34} {schedule.runs:10,.0f} {work.units.reads:6}"
            f" {work.units.writes:6} {work.seconds * 1000:6.0f}"
        )
    yield from table("A month idle, one portfolio, two symbols", added(*parts))


def orders(running: Platform) -> Iterator[str]:
    """A thousand orders of each kind; the authorizer's cache is taken to be cold every time."""
    door = bill(measured(running, running.authorized), "AuthorizerFunction", 1000)
    door |= {"API Gateway requests": 1000}
    by_request = bill(measured(running, running.order), "ExecutionFunction", 1000)
    before, after = _halves(running)
    by_queue = added(
        bill(before, "RecommendationsFunction", 1000), bill(after, "ExecutionQueueFunction", 1000)
    )
    yield from table("1,000 orders by POST /orders", added(door, by_request))
    yield from table("1,000 orders by POST /recommendations", added(door, by_queue))


def _halves(running: Platform) -> tuple[Work, Work]:
    """The work before and after the queue."""
    pairs: list[tuple[Work, Work]] = []

    def pair(half: int) -> Callable[[], Work]:
        def act() -> Work:
            pairs.append(running.recommended_order())
            return pairs[-1][half]

        return act

    return measured(running, pair(0)), measured(running, pair(1))


def report() -> Iterator[str]:
    """Measure and give the tables, line by line."""
    yield f"Cost. {described()}."
    yield f"Prices: us-east-1, as of {PRICES_AS_OF}, to be checked; no free tier."
    with platform() as running:
        running.past_orders(10)
        yield from idle(running)
        yield from orders(running)
    each = ", ".join(f"{name} {price:.2f}" for name, price in PER_GIGABYTE_MONTH.items())
    yield f"\nBeside these, US$ per gigabyte stored and month: {each}."


def main() -> None:
    """Print the report."""
    argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0]).parse_args()
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        for line in report():
            print(line, file=sys.__stdout__, flush=True)


if __name__ == "__main__":
    main()
