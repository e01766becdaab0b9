"""`trading backtest`: strategies over the past, from the command line."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from trading.backtesting import run_backtest
from trading.domain.backtest import BacktestConfig
from trading.quant.search.space import Space, refuse
from trading.quant.search.sweep import OBJECTIVES, Ranking, rank
from trading.quant.simulation.market import Market
from trading.quant.simulation.result import BacktestResult
from trading.quant.statistics.backtest import Statistics, statistics_of
from trading.quant.strategies.registry import strategy_class
from trading_cli.backtest_export import read_config, write_result
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
    as_object,
    market_of,
    prepare,
)
from trading_cli.errors import UserError
from trading_cli.output import console, figure_text, table
from trading_cli.project import find_project
from trading_cli.sweep import Cache, bayesian
from trading_cli.sweep import sweep as run_sweep

app = typer.Typer(help="Run strategies over the past.", no_args_is_help=True)

Folder = Annotated[
    Path | None, typer.Option("--out", help="A folder for the report, the tables and the figures.")
]


@app.command()
def run(
    strategy: StrategyName,
    parameters: Parameters = "{}",
    symbols: Symbols = "AAPL",
    candles: Files = None,
    timeframe: Timeframe = "1d",
    start: Start = None,
    end: End = None,
    cash: Cash = "100000",
    commission: Commission = "0.001",
    settings: Settings = "{}",
    out: Folder = None,
) -> None:
    """Backtest a strategy, show its figures, and write a report where --out says."""
    prepared = prepare(
        strategy, parameters, symbols, candles, timeframe, start, end, cash, commission, settings
    )
    _run(prepared.config, prepared.market, out)


@app.command()
def rerun(
    config: Annotated[Path, typer.Argument(help="The config.json of an earlier run.")],
    candles: Files = None,
    out: Folder = None,
) -> None:
    """Run a stored configuration again; the same candles give the same bytes."""
    stored = read_config(config)
    _run(stored, market_of(stored, candles), out)


def _run(config: BacktestConfig, market: Market, out: Path | None) -> None:
    """Run, show, and write."""
    began = time.perf_counter()
    with _progress("Backtesting") as bar:
        task = bar.add_task("", total=len(market.times))
        result = run_backtest(config, market, lambda done, _: bar.update(task, completed=done))
    took = time.perf_counter() - began
    statistics = statistics_of(result, market)
    show(result, statistics, took)
    if out is None:
        return
    # The plotting library loads where a page is written, and nowhere else.
    from trading_cli.backtest_report import report

    written = write_result(out, result, market, statistics)
    page = out / "report.html"
    page.write_text(report(result, market, statistics), encoding="utf-8")
    console.print(f"Wrote {page} and {len(written)} files beside it.", soft_wrap=True)


def show(result: BacktestResult, statistics: Statistics, took: float) -> None:
    """Print a run's figures."""
    figures = statistics.as_dict()
    for group in ("returns", "risk", "trades", "costs", "benchmark"):
        rows = [
            (name.replace("_", " "), figure_text(name, v)) for name, v in figures[group].items()
        ]
        table(group.capitalize(), ("figure", "#value"), rows)
    if result.rejected:
        table("Refused by risk", ("rule", "#orders"), list(result.rejected.items()))
    bars = statistics.bars
    why = f" ({result.why_reference})" if result.why_reference else ""
    console.print(
        f"[dim]{bars:,} bars in {took:.2f} s, {bars / took:,.0f} a second, on the"
        f" {result.gear.value} gear{why}[/]",
        soft_wrap=True,
    )


@app.command()
def sweep(
    strategy: StrategyName,
    space: Annotated[
        str, typer.Option(help='What is tried: \'{"fast": {"range": [5, 50, 5]}, "slow": [60]}\'.')
    ],
    method: Annotated[str, typer.Option(help="grid, random or bayesian.")] = "grid",
    trials: Annotated[int, typer.Option(min=1, help="How many, at random or bayesian.")] = 100,
    objective: Annotated[str, typer.Option(help=f"One of {', '.join(OBJECTIVES)}.")] = "sharpe",
    seed: Annotated[int, typer.Option(help="Makes chance repeatable.")] = 1,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes. [default: all cores]")
    ] = None,
    symbols: Symbols = "AAPL",
    candles: Files = None,
    timeframe: Timeframe = "1d",
    start: Start = None,
    end: End = None,
    cash: Cash = "100000",
    commission: Commission = "0.001",
    settings: Settings = "{}",
    top: Annotated[int, typer.Option(min=1, help="How many trials to show.")] = 10,
) -> None:
    """Try many parameters, and say how far the best of them can be believed.

    Trials are kept under .local/trials by what decides them, so that nothing is computed twice and
    a search that was stopped goes on where it was.
    """
    if objective not in OBJECTIVES or method not in ("grid", "random", "bayesian"):
        raise UserError(
            f"--objective is one of {', '.join(OBJECTIVES)}; --method grid, random, bayesian."
        )
    kind = strategy_class(strategy)
    wanted = Space.read(kind, as_object(space, "--space"))
    prepared = prepare(
        strategy, "{}", symbols, candles, timeframe, start, end, cash, commission, settings
    )
    config, market = prepared.config, prepared.market
    kept = Cache(find_project().local / "trials", config, market)
    with _progress("Trying") as bar:
        if method == "bayesian":
            refuse(trials)
            task = bar.add_task("", total=trials)
            found = list(
                bayesian(
                    config,
                    market,
                    wanted.values,
                    wanted.uniform,
                    objective,
                    trials,
                    seed,
                    lambda more: bar.advance(task, more),
                )
            )
        else:
            tried = list(wanted.grid()) if method == "grid" else wanted.drawn(trials, seed)
            task = bar.add_task("", total=len(tried))
            found = run_sweep(
                config, market, tried, kept, workers, lambda more: bar.advance(task, more)
            )
    show_ranking(rank(found, objective), objective, top)


def show_ranking(ranking: Ranking, objective: str, top: int) -> None:
    """Print how far the winner can be believed, and only then the winner and those after it."""
    failed = ranking.failed
    if failed:
        reason = failed[0].error or ""
        console.print(
            f"{len(failed)} combinations could not be run, such as: {reason}", markup=False
        )
    if not ranking.trials:
        raise UserError("No combination could be run.")
    luck = figure_text("deflated_rate", ranking.deflated_sharpe)
    overfit = figure_text("overfitting_rate", ranking.overfitting)
    console.print(
        f"[bold]Of {len(ranking.trials)} trials.[/] Probability that the best one's Sharpe ratio is"
        f" more than luck among so many (deflated Sharpe): [bold]{luck}[/]. Probability that the"
        f" search overfits (PBO): [bold]{overfit}[/].",
        soft_wrap=True,
    )
    shown = ranking.trials[:top]
    names = list(shown[0].figures)
    table(
        f"The best by {objective}",
        ("parameters", *(f"#{name.replace('_', ' ')}" for name in names)),
        [
            (
                ", ".join(f"{k}={v}" for k, v in trial.parameters.items()),
                *(figure_text(name, trial.figures[name]) for name in names),
            )
            for trial in shown
        ],
    )


def _progress(what: str) -> Progress:
    """A progress bar."""
    columns = (TextColumn(what), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)
