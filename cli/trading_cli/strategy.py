"""`trading strategy`: what strategies there are, and whether one is honest."""

from __future__ import annotations

import typer
from rich.markup import escape

from trading.quant.simulation.scoring import seeing
from trading.quant.strategies.lookahead import problems
from trading.quant.strategies.registry import discover, make
from trading_cli.backtest_setup import (
    SAMPLE,
    Files,
    Parameters,
    StrategyName,
    Symbols,
    Timeframe,
    as_object,
    market_from,
    sample,
)
from trading_cli.output import console, table

app = typer.Typer(help="List strategies, and prove that one is honest.", no_args_is_help=True)


@app.command(name="list")
def list_strategies() -> None:
    """Show the installed strategies with their parameters; those that do not load with the why."""
    found = discover()
    rows = []
    for name, kind in found.strategies.items():
        made = kind()
        given = ", ".join(f"{k}={v}" for k, v in made.parameters.model_dump().items())
        about = (kind.__doc__ or "").strip().partition("\n")[0]
        rows.append((name, given, made.warm_up, about))
    table("Strategies", ("name", "parameters", "#warm-up", "about"), rows)
    for name, why in found.errors.items():
        console.print(f"[red]{escape(name)}[/] {escape(why)}")


@app.command()
def check(
    strategy: StrategyName,
    parameters: Parameters = "{}",
    symbols: Symbols = "AAPL,GOOG,IBM,MSFT",
    candles: Files = None,
    timeframe: Timeframe = "1d",
) -> None:
    """Prove on real candles that a strategy does not look ahead.

    No score or hint may change when the future is cut off, the warm-up must be enough, runs must
    repeat, and scores lie in [-1, 1]. Exit code 1 with what is wrong.
    """
    made = make(strategy, as_object(parameters, "--parameters"))
    names = [name.strip().upper() for name in symbols.split(",") if name.strip()]
    market = market_from(candles, timeframe) if candles else sample(names, *SAMPLE)
    wrong = [
        f"{symbol}: {problem}"
        for symbol in market.symbols
        for problem in problems(made, seeing(made, market, symbol))
    ]
    for line in wrong:
        console.print(f"[red]fails:[/] {escape(line)}", soft_wrap=True)
    if wrong:
        raise typer.Exit(1)
    bars = sum(len(c) for c in market.candles.values())
    console.print(
        f"[bold green]honest[/]: {escape(strategy)} on {', '.join(market.symbols)}, {bars:,} bars:"
        f" nothing changes when the future is cut off, {made.warm_up} bars of warm-up are enough,"
        " runs repeat, scores lie in [-1, 1]",
        soft_wrap=True,
    )
