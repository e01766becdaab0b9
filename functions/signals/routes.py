"""Signals and strategies over HTTPS."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Path, Query, Request, Response

from trading.adapters.dynamodb.signals import SignalFilter
from trading.api.app import new_router
from trading.api.idempotency import OptionalIdempotencyKey, replayable
from trading.api.listing import DEFAULT_LIMIT, Cursor, Limit, page_of
from trading.api.security import CallerDep, requires
from trading.desk import desk
from trading.domain.errors import Conflict, InvalidInput, NotFound
from trading.domain.identifiers import derived_id
from trading.domain.signal import Signal
from trading.domain.strategy_schedule import StrategySchedule
from trading.domain.time import to_text
from trading.quant.strategies.gate import problem_of
from trading.quant.strategies.registry import discover
from trading.schemas.amount import json_numbers
from trading.schemas.base import Page, Symbol, UtcDatetime, Wire
from trading.schemas.market import Timeframe
from trading.schemas.signals import (
    CheckIn,
    CheckOut,
    GenerateSignalsIn,
    GenerateSignalsOut,
    Name,
    QualitiesOut,
    QualityOut,
    ScheduleIn,
    ScheduleOut,
    SignalIn,
    SignalOut,
    StrategiesOut,
    StrategyChoiceIn,
    StrategyOut,
)
from trading.settings import settings
from trading.telemetry import correlation_id
from trading.usecases.generate_signals import TECHNICAL, StrategyChoice, generate_signals
from trading.usecases.record_market import SKEW
from trading.usecases.retry import retried
from trading.usecases.schedule_strategies import (
    check_on_stored_candles,
    set_schedule,
    still_passed,
)
from trading.usecases.signal_quality import measure_quality
from trading.usecases.watch_list import symbols_to_watch

router = new_router()
read = requires("signals:read")
write = requires("signals:write")
StrategyName = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9_.-]{1,64}$", description="An installed strategy's name.")
]


@router.get("/signals", response_model=Page[SignalOut], dependencies=[read])
def get_signals(
    symbol: Annotated[Symbol | None, Query()] = None,
    source: Annotated[Name | None, Query()] = None,
    strategy: Annotated[Name | None, Query()] = None,
    start: Annotated[UtcDatetime | None, Query(description="At or after.")] = None,
    end: Annotated[UtcDatetime | None, Query(description="At or before.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[SignalOut]:
    """List signals, newest first."""
    wanted = SignalFilter(symbol, source, strategy, start, end)
    found, following = page_of(
        lambda count, before: desk().signals.newest(wanted, count, before), limit, cursor
    )
    return Page(items=[SignalOut.of(signal) for signal in found], cursor=following)


@router.post("/signals", status_code=201, response_model=SignalOut, dependencies=[write])
def post_signal(
    body: SignalIn, caller: CallerDep, request: Request, key: OptionalIdempotencyKey = None
) -> Response:
    """Take in a signal of an outside source: a model, a service, a person.

    Its id derives from source, strategy, symbol and time: the same signal counts once and is
    answered as it was stored; another score or price under the same id is a conflict (409).
    """

    def take() -> tuple[int, Wire]:
        if body.source == TECHNICAL:
            raise InvalidInput("source", f"'{TECHNICAL}' is kept for the platform's strategies")
        _known(body.symbol, "symbol")
        now = desk().wall_clock()
        if body.time > now + SKEW:
            raise InvalidInput("time", "lies in the future")
        signal = Signal(
            id=derived_id("sig", body.source, body.strategy, body.symbol, to_text(body.time)),
            **body.model_dump(),
            created_at=now,
            correlation_id=correlation_id(),
        )
        retried(lambda: desk().signals.record([signal]))
        kept = desk().signals.stored(signal) or signal
        if (kept.score, kept.price) != (signal.score, signal.price):
            raise Conflict(f"the signal '{kept.id}' was given before with another score or price")
        return 201, SignalOut.of(kept)

    return replayable(caller, request, key, body, take)


@router.post("/signals/generate", response_model=GenerateSignalsOut, dependencies=[write])
def post_generate(
    body: GenerateSignalsIn,
    caller: CallerDep,
    request: Request,
    key: OptionalIdempotencyKey = None,
) -> Response:
    """Run strategies on the newest closed candles; the same candle gives the same signal once."""
    for i, symbol in enumerate(body.symbols or ()):
        _known(symbol, f"symbols.{i}")
    choices = [
        StrategyChoice(c.name, c.parameters)
        if isinstance(c, StrategyChoiceIn)
        else (StrategyChoice(c))
        for c in body.strategies or settings().strategies
    ]

    def generate() -> tuple[int, GenerateSignalsOut]:
        result = generate_signals(
            desk().market,
            desk().signals,
            symbols_to_watch(body.symbols, settings().watch_list, desk().market),
            body.timeframe or settings().timeframe,
            choices,
            desk().wall_clock(),
            correlation_id(),
        )
        return 200, GenerateSignalsOut(**asdict(result))

    return replayable(caller, request, key, body, generate)


@router.get("/signals/strategies", response_model=StrategiesOut, dependencies=[read])
def get_strategies() -> StrategiesOut:
    """List the installed strategies with the JSON schemas of their parameters."""
    found = discover()
    return StrategiesOut(
        strategies=[
            StrategyOut(
                name=name,
                description=" ".join((strategy.__doc__ or "").split()),
                warm_up=strategy().warm_up,
                parameters=strategy.Parameters.model_json_schema(),
                problem=problem_of(strategy(), name),
            )
            for name, strategy in found.strategies.items()
        ],
        errors=dict(found.errors),
    )


@router.post("/signals/strategies/{name}/check", response_model=CheckOut, dependencies=[write])
def post_check(name: StrategyName, body: CheckIn) -> CheckOut:
    """Check a strategy on its newest stored candles; one that passes may be scheduled.

    No score or hint may change when the future is cut off, its warm-up must be enough, runs must
    repeat, and scores lie in [-1, 1]. The same check may be repeated.
    """
    if name not in discover().strategies:
        raise NotFound("strategy", name)
    symbols = body.symbols or symbols_to_watch(None, settings().watch_list, desk().market)[:5]
    for i, symbol in enumerate(symbols):
        _known(symbol, f"symbols.{i}")
    checked, wrong = check_on_stored_candles(
        desk().schedules,
        desk().market,
        name,
        json_numbers(body.parameters),
        symbols,
        body.timeframe or settings().timeframe,
        desk().wall_clock(),
    )
    own = checked.model_dump(exclude={"name", "passed_at"})
    return CheckOut(strategy=name, passed=not wrong, problems=wrong, **own)


@router.get("/signals/schedule", response_model=ScheduleOut, dependencies=[read])
def get_schedule() -> ScheduleOut:
    """Read what the schedule runs, and what of it it passes over."""
    stored = desk().schedules.schedule()
    if stored is None:
        names = [StrategyChoiceIn(name=name) for name in settings().strategies]
        watched = list(settings().watch_list) or None
        return ScheduleOut(
            strategies=names,
            symbols=watched,
            timeframe=settings().timeframe,
            set_at=None,
            errors={},
        )
    return _schedule_out(stored, still_passed(desk().schedules, stored)[1])


@router.put("/signals/schedule", response_model=ScheduleOut, dependencies=[write])
def put_schedule(body: ScheduleIn) -> ScheduleOut:
    """Replace what the schedule runs; refused (422) with a strategy that has not passed its check.

    Repeating it changes nothing.
    """
    for i, symbol in enumerate(body.symbols or ()):
        _known(symbol, f"symbols.{i}")
    choices: list[tuple[str, dict[str, Any]]] = [
        (c.name, json_numbers(c.parameters)) if isinstance(c, StrategyChoiceIn) else (c, {})
        for c in body.strategies
    ]
    stored = set_schedule(
        desk().schedules,
        choices,
        body.symbols,
        body.timeframe or settings().timeframe,
        desk().wall_clock(),
    )
    return _schedule_out(stored, {})


@router.get("/signals/quality", response_model=QualitiesOut, dependencies=[read])
def get_quality(
    symbol: Annotated[Symbol | None, Query()] = None,
    source: Annotated[Name | None, Query()] = None,
    strategy: Annotated[Name | None, Query()] = None,
    timeframe: Annotated[Timeframe | None, Query()] = None,
    horizon_bars: Annotated[int, Query(ge=1, le=100)] = 5,
    newest: Annotated[int, Query(ge=1, le=2000, description="Signals to look at.")] = 500,
) -> QualitiesOut:
    """Measure how prices moved after the newest signals: hit rate and mean return by strategy."""
    bars = timeframe or settings().timeframe
    signals = [s for _, s in desk().signals.newest(SignalFilter(symbol, source, strategy), newest)]
    measured = measure_quality(signals, desk().market, bars, horizon_bars)
    return QualitiesOut(
        horizon_bars=horizon_bars,
        timeframe=bars,
        strategies=[QualityOut(**asdict(quality)) for quality in measured],
    )


def _known(symbol: str, field: str) -> None:
    """Raise InvalidInput naming ``field`` unless there is such an instrument."""
    if desk().market.get_instrument(symbol) is None:
        raise InvalidInput(field, f"there is no instrument '{symbol}'")


def _schedule_out(stored: StrategySchedule, errors: dict[str, str]) -> ScheduleOut:
    """The wire form of a schedule that was set."""
    return ScheduleOut(
        strategies=[StrategyChoiceIn(**each.model_dump()) for each in stored.strategies],
        symbols=stored.symbols,
        timeframe=stored.timeframe,
        set_at=stored.updated_at,
        errors=errors,
    )
