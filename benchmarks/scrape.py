"""What a scrape of every service's ``/metrics`` is billed for, and what a month of scraping costs.

The real handlers run in this process against the emulator; ``meter`` says how units are counted.
Three things are varied: how many orders there were before, how many portfolios there are, and
whether the figures were read within the last ``MetricsCacheSeconds``.

    python -m benchmarks.scrape [--past 10 1000] [--portfolios 10 50]
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.billed_units import OWN
from benchmarks.cost import HOURS, Bill, added, bill, measured, table
from benchmarks.floor import Platform, platform
from benchmarks.machine import described
from benchmarks.meter import Work
from tests.conftest import forget_cached_parts
from tests.support.floor import SERVICES as FOLDERS
from trading_cli.tariff import PRICES

SERVICES = {
    "market": "MarketFunction",
    "signals": "SignalsFunction",
    "recommendations": "RecommendationsFunction",
    "orders": "ExecutionFunction",
    "portfolio": "PortfolioFunction",
    "risk": "RiskFunction",
    "backtests": "BacktestingFunction",
    "keys": "KeysFunction",
}
"""The function behind each path."""
POSITIONS = 10
CACHE_SECONDS = "15"


def scraped(running: Platform, path: str) -> Work:
    """Scrape one service."""
    handler = importlib.import_module(f"{FOLDERS[path]}.handler")
    with running.meter.work() as work:
        running.ask(handler.api, "GET", f"/{path}/metrics")
    return work


def scrape(running: Platform) -> dict[str, Work]:
    """Scrape every service, each counted on its own."""
    return {path: measured(running, partial(scraped, running, path)) for path in SERVICES}


def line(title: str, works: dict[str, Work]) -> str:
    """Reads of each service, and of all; no scrape writes."""
    if any(work.units.writes for work in works.values()):
        raise RuntimeError("a scrape has written")
    reads = [work.units.reads for work in works.values()]
    calls = sum(len(work.calls) for work in works.values())
    seconds = sum(work.seconds for work in works.values())
    queue = sum(work.units.queue for work in works.values())
    cells = "".join(f"{count!s:>8}" for count in reads)
    return f"{title:34}{cells}{sum(reads)!s:>8}{queue:>5}{calls:>7}{seconds * 1000:>7.0f}"


def month(works: dict[str, Work], door: Work) -> Bill:
    """A month of scraping every minute, for which the gateway keeps the authorizer's decision."""
    times = HOURS * 60
    return added(
        {"API Gateway requests": times * len(works)},
        bill(door, "AuthorizerFunction", times),
        *(bill(work, SERVICES[path], times) for path, work in works.items()),
    )


def report(past: list[int], portfolios: list[int]) -> Iterator[str]:
    """Count and give the tables, line by line."""
    yield f"Billed units of a scrape. {described()}."
    heads = "".join(f"{path[:7]:>8}" for path in SERVICES)
    yield f"{'read units':34}{heads}{'all':>8}{'SQS':>5}{'calls':>7}{'ms':>7}"
    with platform() as running:
        for count in past:
            running.past_orders(count)
            smallest = scrape(running)
            yield line(f"1 portfolio, {count} orders", smallest)
        door = measured(running, running.authorized)
        opened = 1
        for count in portfolios:
            for number in range(opened, count):
                running.holding(f"p{number:03d}", POSITIONS, OWN)
            opened = count
            largest = scrape(running)
            yield line(f"{count} portfolios of {POSITIONS} positions", largest)
        os.environ["METRICS_CACHE_SECONDS"] = CACHE_SECONDS
        forget_cached_parts()
        for path in SERVICES:
            scraped(running, path)
        kept = {path: scraped(running, path) for path in SERVICES}
        yield line(f"the same again within {CACHE_SECONDS} seconds", kept)
    for title, works in (("1 portfolio", smallest), (f"{opened} portfolios", largest)):
        quantities = month(works, door)
        yield from table(f"A month, {title}, every minute", quantities)
        yield f"  of it DynamoDB {_dynamo(quantities):.4f}"


def _dynamo(quantities: Bill) -> float:
    """What the database's part costs."""
    names = ("DynamoDB reads", "DynamoDB writes")
    return sum(quantities[name] * float(PRICES[name]) for name in names)


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--past", type=int, nargs="+", default=[10, 1000])
    parser.add_argument("--portfolios", type=int, nargs="+", default=[10, 50])
    given = parser.parse_args()
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        for each in report(given.past, given.portfolios):
            print(each, file=sys.__stdout__, flush=True)


if __name__ == "__main__":
    main()
