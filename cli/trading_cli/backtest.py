"""`trading backtest`: strategies over the past, from the command line."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from trading.backtesting import run_backtest
from trading.domain.backtest import BacktestConfig
from trading.quant.simulation.market import Market
from trading.quant.simulation.result import BacktestResult
from trading.quant.statistics.backtest import Statistics, statistics_of
from trading_cli.backtest_export import read_config, write_result
from trading_cli.backtest_search import cross_validate, sweep, walk_forward
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
    market_of,
    prepare,
)
from trading_cli.output import console, figure_text, progress, table

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
    with progress("Backtesting") as bar:
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


app.command()(sweep)
app.command()(walk_forward)
app.command()(cross_validate)
