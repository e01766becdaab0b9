"""`trading backtest sweep`, `walk-forward` and `cross-validate`: searches, and what to believe."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from trading.backtesting import run_backtest
from trading.quant.search.space import Space, refuse
from trading.quant.search.sweep import OBJECTIVES, Ranking, Trial, rank
from trading.quant.search.validation import Window, cross_validated, walk_forward_windows
from trading.quant.simulation.market import Market
from trading.quant.simulation.scoring import score_market
from trading.quant.statistics.backtest import key_figures, periods_per_year
from trading.quant.strategies.registry import make, strategy_class
from trading.quant.strategies.scored import NO_SCORE
from trading_cli.backtest_setup import (
    Cash,
    Commission,
    End,
    Files,
    Prepared,
    Settings,
    Start,
    StrategyName,
    Symbols,
    Timeframe,
    as_object,
    prepare,
)
from trading_cli.errors import UserError
from trading_cli.output import console, figure_text, progress, table
from trading_cli.project import find_project
from trading_cli.sweep import Cache, bayesian
from trading_cli.sweep import sweep as run_sweep

SpaceText = Annotated[
    str, typer.Option("--space", help='What is tried: \'{"fast": {"range": [5, 50, 5]}}\'.')
]
Objective = Annotated[str, typer.Option(help=f"One of {', '.join(OBJECTIVES)}.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes. [default: all cores]")]


def sweep(
    strategy: StrategyName,
    space: SpaceText,
    method: Annotated[str, typer.Option(help="grid, random or bayesian.")] = "grid",
    trials: Annotated[int, typer.Option(min=1, help="How many, at random or bayesian.")] = 100,
    objective: Objective = "sharpe",
    seed: Annotated[int, typer.Option(help="Makes chance repeatable.")] = 1,
    workers: Workers = None,
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
    with progress("Trying") as bar:
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


def walk_forward(
    strategy: StrategyName,
    space: SpaceText,
    folds: Annotated[int, typer.Option(min=1, help="Tests that follow each other.")] = 4,
    train: Annotated[float, typer.Option(help="Share of the bars before the first test.")] = 0.5,
    anchored: Annotated[bool, typer.Option(help="Train from the first bar on.")] = False,
    objective: Objective = "sharpe",
    symbols: Symbols = "AAPL",
    candles: Files = None,
    timeframe: Timeframe = "1d",
    start: Start = None,
    end: End = None,
    cash: Cash = "100000",
    commission: Commission = "0.001",
    settings: Settings = "{}",
) -> None:
    """Choose parameters on one stretch of the past, trade them on the next, again and again."""
    prepared = prepare(
        strategy, "{}", symbols, candles, timeframe, start, end, cash, commission, settings
    )
    wanted = list(Space.read(strategy_class(strategy), as_object(space, "--space")).grid())
    market = prepared.market
    windows = walk_forward_windows(len(market.times), folds, train, anchored=anchored)
    rows = []
    with progress("Walking forward") as bar:
        task = bar.add_task("", total=len(windows) * len(wanted))
        for window in windows:
            seen = _cut(market, window.train_start, window.train_end)
            tried = run_sweep(
                prepared.config, seen, wanted, told=lambda more: bar.advance(task, more)
            )
            ranking = rank(tried, objective)
            if not ranking.trials:
                raise UserError(f"No combination could be run: {ranking.failed[0].error}")
            rows.append(_tested(prepared, window, ranking.trials[0], objective))
    columns = ("tested from", "parameters", f"#{objective} trained", f"#{objective} tested")
    table("Walk-forward", (*columns, "#return tested", "#round trips"), rows)


def _tested(
    prepared: Prepared, window: Window, choice: Trial, objective: str
) -> tuple[object, ...]:
    """Trade a choice on the bars after those that it was made on; what was before warms it up."""
    config = prepared.config.model_copy(
        update={
            "parameters": dict(choice.parameters),
            "start": None,
            "end": None,
            "data_hash": None,
        }
    )
    warm_up = make(config.strategy, config.parameters).warm_up
    market = _cut(prepared.market, max(window.train_end - warm_up, 0), window.test_end)
    begins = float(prepared.market.times[window.train_end])
    says = score_market(config, market)
    for symbol, said in says.items():
        said.scores[market.candles[symbol].time < begins] = NO_SCORE
    figures, _ = key_figures(run_backtest(config, market, says=says), market)
    return (
        _day(begins),
        _text(choice),
        figure_text(objective, choice.figures[objective]),
        figure_text(objective, figures[objective]),
        figure_text("total_return", figures["total_return"]),
        figures["round_trips"],
    )


def cross_validate(
    strategy: StrategyName,
    space: SpaceText,
    folds: Annotated[int, typer.Option(min=2, help="Parts that are each tested once.")] = 5,
    purge: Annotated[int, typer.Option(min=0, help="Days dropped on both sides of a test.")] = 10,
    embargo: Annotated[int, typer.Option(min=0, help="More days dropped after it.")] = 5,
    workers: Workers = None,
    symbols: Symbols = "AAPL",
    candles: Files = None,
    timeframe: Timeframe = "1d",
    start: Start = None,
    end: End = None,
    cash: Cash = "100000",
    commission: Commission = "0.001",
    settings: Settings = "{}",
) -> None:
    """Choose by all but one part of the past, purged and embargoed, and test on that part."""
    prepared = prepare(
        strategy, "{}", symbols, candles, timeframe, start, end, cash, commission, settings
    )
    config, market = prepared.config, prepared.market
    wanted = list(Space.read(strategy_class(strategy), as_object(space, "--space")).grid())
    kept = Cache(find_project().local / "trials", config, market)
    with progress("Trying") as bar:
        task = bar.add_task("", total=len(wanted))
        tried = run_sweep(
            config, market, wanted, kept, workers, lambda more: bar.advance(task, more)
        )
    periods = periods_per_year(market, market.period_ends)
    found = cross_validated(tried, folds, purge, embargo, periods)
    rows = [(i, _text(trial)) for i, trial in enumerate(found.chosen, start=1)]
    table("Chosen without the tested part", ("#part", "parameters"), rows)
    console.print(
        f"Sharpe ratio promised by the choices {figure_text('sharpe', found.trained_sharpe)},"
        f" kept out of sample [bold]{figure_text('sharpe', found.sharpe)}[/]",
        soft_wrap=True,
    )


def _cut(market: Market, start: int, end: int) -> Market:
    """The bars of some steps."""
    first, last = float(market.times[start]), float(market.times[end - 1])
    return Market.of([candles.during(first, last) for candles in market.candles.values()])


def _day(seconds: float) -> str:
    """A moment's day."""
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def _text(trial: Trial) -> str:
    return ", ".join(f"{name}={value}" for name, value in trial.parameters.items())
