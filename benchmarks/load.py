"""Load: many recommendations through the deployed local stack's queue, with repeats and deaths.

The template is built and deployed to an emulator of its own. Senders save and send
recommendations with the service's own code; workers take them from the deployed queue
(``load_workers``). Meanwhile messages come twice, workers die at any AWS call and writers die
between saving and sending. Then what is left is recovered as it would be in production (the relay's
function, a redrive of dead letters, the matching function), and ``audit`` compares all books.

With ``--workers 0`` the emulator's own event source mapping and Lambda workers consume instead;
nothing dies then.

    python -m benchmarks.load [--recommendations 20000 --portfolios 50 --workers 4]
                              [--duplicate 0.01 --crash 0.01 --seed 1]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from benchmarks import load_plan, load_workers
from benchmarks.load_plan import CASH, COMMISSION, FALL, PRICES, UNITS, Plan
from benchmarks.machine import described
from tests.conftest import forget_cached_parts
from tests.support import aws
from tests.support.local_stack import LocalStack, deployed
from trading_cli import dlq
from trading_cli.api import Api

INSTRUMENT = {
    "base_currency": "ACME", "quote_currency": "USD", "tick_size": "0.01", "lot_size": "1",
    "min_notional": "1", "max_price_age_seconds": 86400,
}  # fmt: skip
SENDERS = 2
VISIBILITY_SECONDS = 15
"""How long a dead worker's batch stays hidden; the template's 360 would only make the run wait."""
PATIENCE = 300.0
"""Seconds without any progress after which a run is given up."""


@dataclass
class Run:
    """What happened besides the books."""

    seconds: float = 0.0
    deaths: int = 0
    relayed: int = 0
    redriven: int = 0
    stalls: list[str] = field(default_factory=list)


def open_books(api: Api, plan: Plan) -> None:
    """Register symbols and prices, open the portfolios, and buy what they start with."""
    for symbol in PRICES:
        api.put(f"/market/instruments/{symbol}", INSTRUMENT)
    _post_prices(api, PRICES)
    for portfolio_id in plan.portfolio_ids:
        terms = {"base_currency": "USD", "cash": str(CASH), "commission_rate": str(COMMISSION),
                 "policy": {"valid_for_seconds": 86400}}  # fmt: skip
        api.put(f"/portfolio/{portfolio_id}", terms)
        limits = {"max_allocation_percent": None, "max_symbol_exposure_percent": None}
        api.put(
            f"/risk/{portfolio_id}/limits",
            limits | {"max_daily_trades": plan.cap(portfolio_id)},
        )
        for symbol in PRICES:
            body = {"portfolio_id": portfolio_id, "symbol": symbol, "side": "buy"}
            api.post("/orders", body | {"quantity": str(UNITS)}, f"open-{portfolio_id}-{symbol}")


def _post_prices(api: Api, prices: Any) -> None:
    listed = [{"symbol": symbol, "price": str(price)} for symbol, price in prices.items()]
    api.post("/market/prices", {"prices": listed})


@contextlib.contextmanager
def settings_of(stack: LocalStack) -> Iterator[str]:
    """Let this process work on the deployed tables and queue; yields the queue's address."""
    before = dict(os.environ)
    os.environ.update(aws.OTHER_SETTINGS)
    os.environ.update({v: stack.resource(name) for name, v in aws.ENVIRONMENT.items()})
    queue = stack.resource("ExecutionQueue")
    os.environ |= {"EXECUTION_QUEUE_URL": queue, "AWS_ENDPOINT_URL": stack.endpoint}
    forget_cached_parts()
    try:
        yield queue
    finally:
        os.environ.clear()
        os.environ.update(before)
        forget_cached_parts()


def run(stack: LocalStack, plan: Plan, workers: int, queue: str) -> Run:
    """Send and execute everything; returns when queue, outbox and dead letters are empty."""
    done = Run()
    if workers:
        _take_over_the_queue(stack, queue)
    with tempfile.TemporaryDirectory() as folder:
        deaths = load_workers.Deaths(planned_by_id(plan), Path(folder))
        stop = load_workers.new_event()
        start = time.perf_counter()
        senders = [
            load_workers.start(load_workers.send, plan, part, SENDERS, queue)
            for part in range(SENDERS)
        ]
        pool = [load_workers.start(load_workers.work, deaths, queue, stop) for _ in range(workers)]
        try:
            _until_drained(stack, queue, senders, pool, lambda: _again(deaths, queue, stop), done)
            done.seconds = time.perf_counter() - start
        finally:
            stop.set()
            for process in (*pool, *senders):
                process.join(30)
                process.kill()
        done.deaths = len(list(Path(folder).iterdir()))
    return done


def _again(deaths: Any, queue: str, stop: Any) -> BaseProcess:
    return load_workers.start(load_workers.work, deaths, queue, stop)


def planned_by_id(plan: Plan) -> dict[str, load_plan.Planned]:
    """The plan by the ids that the recommendations will have."""
    from trading.domain.identifiers import derived_id

    return {derived_id("rec", one.portfolio_id, one.symbol, one.cause): one for one in plan.planned}


def _take_over_the_queue(stack: LocalStack, queue: str) -> None:
    """Stop the emulator's own consumers, and let batches of the dead come back sooner."""
    client = stack.client("lambda")
    for mapping in client.list_event_source_mappings()["EventSourceMappings"]:
        if ":sqs:" in mapping["EventSourceArn"]:
            client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    stack.client("sqs").set_queue_attributes(
        QueueUrl=queue, Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS)}
    )


def _until_drained(
    stack: LocalStack,
    queue: str,
    senders: list[BaseProcess],
    pool: list[BaseProcess],
    again: Any,
    done: Run,
) -> None:
    """Start workers again that died, and recover what is left, until nothing is."""
    from trading.adapters.sqs.execution_queue import queue_depth

    sqs = stack.client("sqs")
    seen, since = (-1, -1), time.monotonic()
    while True:
        time.sleep(0.25)
        for i, worker in enumerate(pool):
            if worker.exitcode is not None:
                _must(worker.exitcode == load_workers.DIED, f"a worker ended: {worker.exitcode}")
                pool[i] = again()
        depth = queue_depth(sqs, queue)
        sending = [sender for sender in senders if sender.exitcode is None]
        _must(all(s.exitcode in (None, 0) for s in senders), "a sender failed")
        now = (depth["waiting"], depth["in_flight"])
        if now != seen:
            seen, since = now, time.monotonic()
        _must(time.monotonic() - since < PATIENCE, f"the queue stands still at {depth}")
        if sending or any(now):
            continue
        relayed = stack.invoke("RecommendationsRelayFunction", {})["sent"]
        redriven = dlq.redrive_all(stack.stack)
        done.relayed += relayed
        done.redriven += redriven
        if not relayed and not redriven:
            return


def finish(stack: LocalStack, api: Api) -> None:
    """Let prices fall to the limits of the orders that rest, and match them."""
    from trading.desk import desk

    time.sleep(0.01)
    _post_prices(api, {symbol: price * FALL for symbol, price in PRICES.items()})
    deadline = time.monotonic() + PATIENCE
    while desk().orders.open():
        _must(time.monotonic() < deadline, "orders still rest after the prices fell")
        stack.invoke("ExecutionMatchFunction", {})


def check(plan: Plan) -> tuple[Any, list[str]]:
    """Audit all books, and compare them with what the plan says must be left."""
    from benchmarks.audit import audit
    from trading.desk import desk

    found = audit(plan.portfolio_ids)
    missing = planned_by_id(plan).keys() ^ found.recommendations.keys()
    found.must(not missing, f"{len(missing)} recommendations are lost or foreign")
    for portfolio_id in plan.portfolio_ids:
        own = [r for r in found.recommendations.values() if r["portfolio_id"] == portfolio_id]
        executed = sum(r["execution_status"] == "executed" for r in own)
        cap = plan.cap(portfolio_id)
        if cap is not None:
            allowed = cap - len(PRICES)
            found.must(executed == allowed, f"{portfolio_id}: {executed} passed a cap of {allowed}")
            continue
        portfolio = desk().books.portfolio(portfolio_id)
        cash, units = portfolio.account.cash_in("USD"), portfolio.positions
        held = {s: units[s].quantity for s in PRICES}
        found.must(executed == len(own), f"{portfolio_id}: {executed} of {len(own)} executed")
        expected = plan.expected_cash(portfolio_id)
        found.must(cash == expected, f"{portfolio_id}: cash is {cash}, must be {expected}")
        wanted = plan.expected_units(portfolio_id)
        found.must(held == wanted, f"{portfolio_id}: holds {held}, must hold {wanted}")
    return found, found.problems


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise RuntimeError(otherwise)


def report(plan: Plan, workers: int) -> Iterator[str]:
    """Run and check, line by line; raises if anything was lost, doubled or unbalanced."""
    yield f"Load. {described()}."
    yield f"{plan}, {workers} workers" if workers else f"{plan}, the emulator's own consumers"
    with deployed() as stack, stack.api() as api, settings_of(stack) as queue:
        import execution.handler

        assert execution.handler
        open_books(api, plan)
        done = run(stack, plan, workers, queue)
        finish(stack, api)
        found, problems = check(plan)
    twice = sum(one.twice for one in plan.planned)
    yield f"{twice} sent twice, {done.deaths} workers died, {done.relayed} sent by the relay, " + (
        f"{done.redriven} dead letters redriven"
    )
    yield f"recommendations: {dict(found.statuses())}; {len(found.fills)} fills"
    per_second = plan.recommendations / done.seconds
    yield f"{done.seconds:.0f} s from the first to the last: {per_second:.1f} a second"
    yield f"{len(problems)} disagreements in the books"
    yield from problems[:20]
    _must(not problems, "the books are not whole")


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--recommendations", type=int, default=2000)
    parser.add_argument("--portfolios", type=int, default=50)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--duplicate", type=float, default=0.01)
    parser.add_argument("--crash", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    crash = given.crash if given.workers else 0.0
    plan = Plan(given.recommendations, given.portfolios, given.duplicate, crash, given.seed)
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        for line in report(plan, given.workers):
            print(line, file=sys.__stdout__, flush=True)


if __name__ == "__main__":
    main()
