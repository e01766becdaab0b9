"""Billed units: what one executed order costs in DynamoDB units and SQS requests.

The real handlers run in this process against the emulator; ``meter`` says how units are counted. An
order comes in two ways: by ``POST /orders``, and as a recommendation through the queue
(posted, sent, received, executed, deleted). Three things are varied: how many orders there were
before, which kind of order it is (``order_kinds``, from placing to its end), and how many positions
the portfolio holds, once under limits that look at the order's own position only and once under
limits that need equity and therefore all of them.

    python -m benchmarks.billed_units [--past 10 100 1000] [--positions 10 100 1000]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.floor import SYMBOLS, Platform, platform
from benchmarks.machine import described
from benchmarks.meter import Work
from benchmarks.order_kinds import BUY, KINDS, measured

OWN: dict[str, Any] = {
    "max_daily_trades": 1_000_000,
    "max_order_notional": "100000",
    "max_position_notional": "500000",
    "max_open_orders": 100,
}
"""Limits that need no other position than the order's own; what is not named is unlimited."""
PERCENT: dict[str, Any] = OWN | {
    "max_allocation_percent": "25",
    "max_symbol_exposure_percent": "25",
    "max_gross_leverage": "1",
}
"""Limits of equity, which need all positions and their prices."""
LIMITS = {"own position": OWN, "of equity": PERCENT}


def report(past: list[int], positions: list[int]) -> Iterator[str]:
    """Count units, line by line."""
    yield f"Billed units per executed order. {described()}."
    yield f"{'':52} {'reads':>6} {'writes':>6} {'SQS':>3} {'reported':>8}  calls"
    with platform() as running:
        for count in past:
            running.past_orders(count)
            yield _line(f"POST /orders after {count}", running.order())
            before, after = running.recommended_order()
            yield _line("  recommendation, up to the queue", before)
            yield _line("  its order, from the queue", after)
            for kind in KINDS:
                for step, work in measured(running, kind):
                    yield _line(f"  {kind.name}: {step}", work)
        running.authorized()  # notes the key's use, which it does once an hour
        yield _line("authorizer, a key not in its cache", running.authorized())
        for count in positions:
            for name in LIMITS:
                work = by_positions(running, count, name)
                yield _line(f"POST /orders, {count} positions, limits {name}", work)


def by_positions(running: Platform, positions: int, limits: str) -> Work:
    """Execute one market order in a new portfolio with so many positions, under these limits."""
    portfolio_id = f"{limits.replace(' ', '-')}-{positions}"
    running.holding(portfolio_id, positions, LIMITS[limits])
    body = BUY | {"symbol": SYMBOLS[0], "quantity": "7"}
    running.place(body, portfolio_id)  # The first makes the day's and the portfolio's counters.
    return running.place(body, portfolio_id)[1]


def _line(title: str, work: Work) -> str:
    units = work.units
    return (
        f"{title:52} {units.reads:6} {units.writes:6} {units.queue:3} {units.reported:8}"
        f"  {', '.join(work.calls)}"
    )


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--past", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--positions", type=int, nargs="+", default=[10, 100, 1000])
    given = parser.parse_args()
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        for line in report(given.past, given.positions):
            print(line, file=sys.__stdout__, flush=True)


if __name__ == "__main__":
    main()
