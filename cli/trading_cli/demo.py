"""`trading demo`: the platform's main job, on real candles, from the first to the last step."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from trading_cli import emulator
from trading_cli.api import Api
from trading_cli.candles import Day, read_days
from trading_cli.errors import UserError
from trading_cli.keys import create_key
from trading_cli.local import (
    StackName,
    bring_up,
    current_stack,
    demo_folder,
    given_target,
    started_for_good,
)
from trading_cli.output import console, step
from trading_cli.processes import interrupt_on_signals
from trading_cli.project import find_project
from trading_cli.replay import Replay
from trading_cli.report import Outcome, show_verdict
from trading_cli.stack import Stack

DAY = 86400
DATE = ["%Y-%m-%d"]
INSTRUMENT: dict[str, str | int] = {
    "base_currency": "USD",
    "quote_currency": "USD",
    "tick_size": "0.0001",
    "lot_size": "1",
    "min_notional": "100",
    # Over a weekend and a holiday no market trades.
    "max_price_age_seconds": 5 * DAY,
}
PORTFOLIO = {
    "base_currency": "USD",
    "mode": "mock",
    "clock": "market",
    "cash": "100000",
    "commission_rate": "0.001",
    "policy": {
        "entry_score": "0.4",
        "exit_score": "-0.2",
        "target_fraction": "0.3",
        "valid_for_seconds": DAY,
    },
}
LIMITS = {
    "max_order_notional": "40000",
    "max_allocation_percent": "35",
    "max_symbol_exposure_percent": "35",
    "max_daily_trades": 2,
}


def demo(
    symbols: Annotated[str, typer.Option(help="Of AAPL, FB, GOOG, IBM, MSFT.")] = ("AAPL,GOOG,IBM"),
    start: Annotated[
        datetime, typer.Option(formats=DATE, help="The first day.", show_default="2009-03-02")
    ] = datetime(2009, 3, 2, tzinfo=UTC),
    end: Annotated[
        datetime,
        typer.Option(formats=DATE, help="The day after the last.", show_default="2012-03-01"),
    ] = datetime(2012, 3, 1, tzinfo=UTC),
    every: Annotated[int, typer.Option(min=1, help="Days that are posted at a time.")] = 1,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the platform up and print how to call it.")
    ] = False,
    stack_name: StackName = None,
) -> None:
    """Replay real daily candles through the deployed platform and check the books.

    Starts an emulator of its own with the real template, makes a key and a mock portfolio, posts
    candles day by day and runs what the schedules would: signals, recommendations, the queue,
    matching, snapshots. Exit code 1 if the outcome cannot be derived from ledger and candles.

    With AWS_ENDPOINT_URL set, the platform is deployed to that emulator instead. With
    --stack-name, nothing is started or deployed: that stack is used, wherever it runs.
    """
    interrupt_on_signals()
    names = [name.strip().upper() for name in symbols.split(",") if name.strip()]
    days = read_days(names, start.date(), end.date())
    with _stack(keep=keep, name=stack_name) as stack:
        _refuse_newer_prices(stack, days)
        portfolio_id = f"demo-{secrets.token_hex(3)}"
        key = create_key(stack, "demo")
        with Api(stack.api_url, key) as api:
            prepare(api, portfolio_id, names)
            replay = Replay(stack, api, portfolio_id, names)
            run_with_progress(replay, days, every)
            outcome = Outcome.read(api, portfolio_id)
        outcome.show()
        problems = outcome.problems(days)
        show_verdict(problems, outcome)
        if keep:
            _show_how_to_call(stack.api_url, key, portfolio_id)
    if problems:
        raise typer.Exit(1)


def prepare(api: Api, portfolio_id: str, symbols: Sequence[str]) -> None:
    """Tell the platform what is traded, and open a portfolio with its limits."""
    with step(f"Opening portfolio {portfolio_id} with {PORTFOLIO['cash']} USD"):
        for symbol in symbols:
            api.put(f"/market/instruments/{symbol}", INSTRUMENT | {"base_currency": symbol})
        policy = PORTFOLIO["policy"] | {"symbols": list(symbols)}  # type: ignore[operator]
        api.put(f"/portfolio/{portfolio_id}", PORTFOLIO | {"policy": policy})
        api.put(f"/risk/{portfolio_id}/limits", LIMITS)


def run_with_progress(replay: Replay, days: Sequence[Day], every: int) -> None:
    """Replay the days under a progress bar, then say where the time went."""
    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("equity {task.fields[equity]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(f"{days[0].on}", total=len(days), equity="-")
        at = {day.on: number for number, day in enumerate(days, start=1)}
        replay.run(
            days,
            every,
            lambda on, equity: bar.update(
                task, completed=at[on], description=f"{on}", equity=f"{equity:,.2f}"
            ),
        )
    parts = ", ".join(f"{what} {spent:.1f} s" for what, spent in replay.seconds.items())
    console.print(f"[dim]Replayed {len(days)} days: {parts}[/]", soft_wrap=True)


@contextmanager
def _stack(*, keep: bool, name: str | None) -> Iterator[Stack]:
    """Provide the stack to run on, and take down what was started for it."""
    project = find_project()
    if name is not None:
        yield current_stack(name)
    elif given := given_target():
        yield bring_up(project, given)
    elif keep:
        folder = demo_folder(project)
        if earlier := emulator.find(folder):
            earlier.stop()
        # Prices only ever move forward, so history is replayed on a clean state.
        shutil.rmtree(folder, ignore_errors=True)
        with started_for_good(folder) as kept:
            yield bring_up(project, kept.target)
    else:
        with emulator.temporary() as own:
            console.print(f"[green]ok[/] Started an emulator on {own.target.endpoint}")
            yield bring_up(project, own.target)


def _refuse_newer_prices(stack: Stack, days: Sequence[Day]) -> None:
    """Raise UserError if the market there is past the days to be replayed."""
    clock = stack.target.client("dynamodb").get_item(
        TableName=stack.resource("MarketTable"), Key={"pk": {"S": "CLOCK"}, "sk": {"S": "CLOCK"}}
    )
    newest = clock.get("Item", {}).get("time", {}).get("S", "")
    if newest[:10] > days[0].on.isoformat():
        raise UserError(
            f"The stack '{stack.name}' has prices up to {newest[:10]}, and its clock does not run"
            " backwards: replay on a fresh stack, or from a later --start."
        )


def _show_how_to_call(url: str, key: str, portfolio_id: str) -> None:
    """Print three commands that work."""
    console.print(f"\nBase URL: {url}\nKey:      {key}\n", soft_wrap=True, highlight=False)
    asked = (
        f"/portfolio/{portfolio_id}",
        f"/recommendations?portfolio_id={portfolio_id}&limit=2",
        "/market/prices",
    )
    for path in asked:
        console.print(
            f"curl -s -H 'X-TRADING-API-KEY: {key}' '{url}{path}'",
            soft_wrap=True,
            highlight=False,
            markup=False,
        )
    console.print("\n[bold]trading down[/] stops it.")
