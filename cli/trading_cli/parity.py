"""`trading parity`: whether paper trading does what the backtest said, fill by fill."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from trading.backtesting import run_backtest
from trading.domain.backtest import BacktestConfig
from trading.quant.simulation.market import Market
from trading.quant.simulation.result import BacktestResult
from trading.quant.simulation.scoring import Timeline, score_market
from trading_cli import emulator
from trading_cli.api import Api
from trading_cli.backtest_setup import (
    Cash,
    Commission,
    End,
    Files,
    Parameters,
    Settings,
    Start,
    StrategyName,
    Symbols,
    Timeframe,
    prepare,
)
from trading_cli.keys import create_key
from trading_cli.local import StackName, bring_up, current_stack, given_target
from trading_cli.output import console
from trading_cli.paper_replay import PaperReplay
from trading_cli.parity_check import (
    Books,
    Trade,
    books_of,
    difference_of_books,
    first_difference,
    trades_of,
)
from trading_cli.processes import interrupt_on_signals
from trading_cli.project import find_project
from trading_cli.stack import Stack


@dataclass(frozen=True)
class Parity:
    """What came of a comparison; ``difference`` is None where both sides are equal."""

    fills: int
    difference: str | None


def check_parity(
    stack: Stack, config: BacktestConfig, market: Market, *, every_bar: bool = True
) -> Parity:
    """Backtest, replay the same candles in paper mode on a stack, and compare both.

    With ``every_bar`` false, bars on which no score can act are posted many at a time.
    Fills must be equal in time, symbol, quantity, price and fee, and in order; then cash and
    positions. Raises UserError or ApiError when the replay fails.
    """
    result = run_backtest(config, market)
    key = create_key(stack, "parity")
    with Api(stack.api_url, key) as api:
        portfolio_id = f"parity-{secrets.token_hex(3)}"
        timeline = None if every_bar else Timeline.of(config, market, score_market(config, market))
        replay = PaperReplay(stack, api, portfolio_id, config, market, timeline)
        replay.open_books()
        with _progress(len(market.times)) as told:
            replay.run(told)
        return _compared(result, replay, api)


def _compared(result: BacktestResult, replay: PaperReplay, api: Api) -> Parity:
    """Hold the paper portfolio against the backtest."""
    paper = [Trade.of(fill) for fill in replay.fills()]
    expected = trades_of(result)
    path = f"/portfolio/{replay.portfolio_id}"
    books = Books.of(api.get(path), api.each(f"{path}/positions"))
    difference = first_difference(expected, paper) or difference_of_books(books_of(result), books)
    return Parity(len(expected), difference)


@contextmanager
def _progress(steps: int) -> Iterator[Callable[[int], None]]:
    """A progress bar over the bars that were posted."""
    columns = (TextColumn("Replaying"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=steps)
        yield lambda done: bar.update(task, completed=done)


def parity(
    strategy: StrategyName = "ma_cross",
    parameters: Parameters = "{}",
    symbols: Symbols = "AAPL,GOOG,IBM",
    candles: Files = None,
    timeframe: Timeframe = "1d",
    start: Start = None,
    end: End = None,
    cash: Cash = "100000",
    commission: Commission = "0.001",
    settings: Settings = "{}",
    every_bar: Annotated[
        bool, typer.Option(help="Work on every bar, also where no score can act.")
    ] = True,
    stack_name: StackName = None,
) -> None:
    """Prove that paper trading does what the backtest says, fill by fill.

    Backtests the strategy, posts the same candles one after the other to a deployed platform in
    paper mode, and compares every fill (time, price, quantity, fee) and the books at the end. Exit
    code 1 with the first difference. Starts an emulator of its own unless AWS_ENDPOINT_URL or
    --stack-name say where the platform is.
    """
    interrupt_on_signals()
    prepared = prepare(
        strategy, parameters, symbols, candles, timeframe, start, end, cash, commission, settings
    )
    with _stack(stack_name) as stack:
        found = check_parity(stack, prepared.config, prepared.market, every_bar=every_bar)
    if found.difference is not None:
        console.print(f"[red]differs:[/] {escape(found.difference)}", soft_wrap=True)
        raise typer.Exit(1)
    console.print(
        f"[bold green]equal[/]: all {found.fills} fills in time, price, quantity and fee,"
        " and the books at the end",
        soft_wrap=True,
    )


@contextmanager
def _stack(name: str | None) -> Iterator[Stack]:
    """The stack to replay on, and take down what was started for it."""
    project = find_project()
    if name is not None:
        yield current_stack(name)
    elif given := given_target():
        yield bring_up(project, given)
    else:
        with emulator.temporary() as own:
            yield bring_up(project, own.target)
