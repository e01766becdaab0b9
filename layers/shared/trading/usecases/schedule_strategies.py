"""Who may trade unattended: strategies pass a check first, and only then get on the schedule."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from trading.domain.errors import InvalidInput, TradingError
from trading.domain.strategy_schedule import (
    ScheduledStrategy,
    StrategyPass,
    StrategySchedule,
    pass_key,
)
from trading.ports import CandleHistory
from trading.quant.strategies.code import code_of
from trading.quant.strategies.lookahead import problems
from trading.quant.strategies.registry import make
from trading.quant.strategies.scored import others_of
from trading.quant.strategies.strategy import Candles, Strategy, columns_of
from trading.usecases.closed_candles import closed_candles

BARS = 1000
"""How many of the newest candles a check looks at."""
LEAST_BARS = 50
"""How many it needs beyond the warm-up."""
LIMIT_SECONDS = 20.0
"""How long a check may take in all; the gateway waits 29 seconds."""


class Schedules(Protocol):
    """Where the schedule and the passes are kept."""

    def schedule(self) -> StrategySchedule | None:
        """What was set, or None."""

    def put_schedule(self, schedule: StrategySchedule) -> None:
        """Replace what was set."""

    def put_pass(self, passed: StrategyPass) -> None:
        """Remember that a check was passed."""

    def passed(self, names: Collection[str]) -> set[str]:
        """Those of some keys under which a check was passed."""


def check_on_stored_candles(
    schedules: Schedules,
    history: CandleHistory,
    name: str,
    parameters: Mapping[str, Any],
    symbols: Sequence[str],
    timeframe: str,
    now: datetime,
) -> tuple[StrategyPass, list[str]]:
    """Check a strategy on the newest closed candles of some symbols; a pass is remembered.

    Answers what was checked, and what is wrong with it: nothing, if it passed. Raises InvalidInput
    for an unknown strategy, a wrong parameter, or a symbol with too few candles.
    """
    strategy = make(name, parameters)
    wrong: list[str] = []
    bars = 0
    for place, symbol in enumerate(symbols):
        window = _window(history, strategy, name, symbols, place, timeframe, now)
        bars += len(window)
        found = problems(strategy, window, limit_seconds=LIMIT_SECONDS / len(symbols))
        wrong += [f"{symbol}: it {problem}" for problem in found]
    checked = StrategyPass(
        name=name,
        parameters=_as_json(strategy),
        code=code_of(type(strategy)),
        symbols=list(symbols),
        timeframe=timeframe,
        bars=bars,
        passed_at=now,
    )
    if not wrong:
        schedules.put_pass(checked)
    return checked, wrong


def set_schedule(
    schedules: Schedules,
    choices: Sequence[tuple[str, Mapping[str, Any]]],
    symbols: list[str] | None,
    timeframe: str,
    now: datetime,
) -> StrategySchedule:
    """Replace what the schedule runs.

    Raises InvalidInput naming every strategy that is unknown, wrongly configured, or has not passed
    the check with these parameters and the code that is installed.
    """
    wrong: list[InvalidInput] = []
    made: list[tuple[int, str, Strategy]] = []
    for i, (name, parameters) in enumerate(choices):
        try:
            made.append((i, name, make(name, parameters)))
        except InvalidInput as error:
            wrong += [
                InvalidInput(f"strategies.{i}.{_within(each.field)}", each.message)
                for each in (error, *error.more)
            ]
    passed = schedules.passed([_key(name, strategy) for _, name, strategy in made])
    wrong += [
        InvalidInput(
            f"strategies.{i}",
            f"'{name}' has not passed the check with these parameters and its present code:"
            f" call POST /signals/strategies/{name}/check with them first",
        )
        for i, name, strategy in made
        if _key(name, strategy) not in passed
    ]
    if wrong:
        raise InvalidInput(wrong[0].field, wrong[0].message, wrong[1:])
    schedule = StrategySchedule(
        strategies=[
            ScheduledStrategy(name=name, parameters=_as_json(strategy))
            for _, name, strategy in made
        ],
        symbols=symbols,
        timeframe=timeframe,
        updated_at=now,
    )
    schedules.put_schedule(schedule)
    return schedule


def still_passed(
    schedules: Schedules, schedule: StrategySchedule
) -> tuple[list[ScheduledStrategy], dict[str, str]]:
    """The scheduled strategies that may run, and why others may not, by name.

    A strategy's code may have changed since it passed, or it may be gone.
    """
    errors: dict[str, str] = {}
    wanted: list[tuple[ScheduledStrategy, str]] = []
    for each in schedule.strategies:
        try:
            wanted.append((each, _key(each.name, make(each.name, each.parameters))))
        except TradingError as error:
            errors[each.name] = error.detail
    passed = schedules.passed([key for _, key in wanted])
    for each, key in wanted:
        if key not in passed:
            errors[each.name] = "its code has changed since it passed the check; check it again"
    return [each for each, key in wanted if key in passed], errors


def _within(field: str) -> str:
    """A strategy's field as part of a choice."""
    return "name" if field == "strategy" else field


def _key(name: str, strategy: Strategy) -> str:
    return pass_key(name, _as_json(strategy), code_of(type(strategy)))


def _as_json(strategy: Strategy) -> dict[str, Any]:
    """A strategy's parameters, defaults included, as JSON has them."""
    given: dict[str, Any] = strategy.parameters.model_dump(mode="json")
    return given


def _window(
    history: CandleHistory,
    strategy: Strategy,
    name: str,
    symbols: Sequence[str],
    place: int,
    timeframe: str,
    now: datetime,
) -> Candles:
    """A symbol's newest closed candles, with those that the strategy wants beside them."""
    symbol = symbols[place]
    needed = strategy.warm_up + LEAST_BARS
    closed = closed_candles(history, symbol, timeframe, max(BARS, needed), now)
    if len(closed) < needed:
        raise InvalidInput(
            f"symbols.{place}",
            f"'{symbol}' has {len(closed)} closed {timeframe} candles, and a check of {name} needs"
            f" {needed}",
        )
    beside = {}
    for other in others_of(strategy, name, symbol, sorted(symbols)):
        found = closed_candles(history, other, timeframe, len(closed), now)
        if not found:
            raise InvalidInput(
                f"symbols.{place}", f"{name} wants '{other}' beside '{symbol}'; store its candles"
            )
        beside[other] = columns_of(found)
    return columns_of(closed).seeing(beside)
