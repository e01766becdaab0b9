"""Runs strategies on the newest closed candles and keeps what they say."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from trading.domain.candle import Candle
from trading.domain.errors import TradingError
from trading.domain.identifiers import derived_id
from trading.domain.signal import Signal
from trading.ports import CandleHistory
from trading.quant.strategies.registry import discover, make
from trading.quant.strategies.strategy import Strategy, columns_of
from trading.usecases.retry import retried

TECHNICAL = "technical"
SCORE_DIGITS = 6
logger = logging.getLogger(__name__)


class SignalStore(Protocol):
    """Where signals are kept."""

    def record(self, signals: Sequence[Signal]) -> tuple[int, int]:
        """Write what is new; returns (created, unchanged)."""
        ...


@dataclass(frozen=True)
class StrategyChoice:
    """A strategy by name with its parameters, unchecked."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Generated:
    """How many signals were new, how many known, and which plug-ins failed where."""

    created: int = 0
    unchanged: int = 0
    errors: dict[str, str] = field(default_factory=dict)


def generate_signals(
    candles: CandleHistory,
    signals: SignalStore,
    symbols: Sequence[str],
    timeframe: str,
    choices: Sequence[StrategyChoice],
    now: datetime,
    correlation_id: str,
) -> Generated:
    """Score each symbol's newest closed candle by each strategy; the same candle only once.

    A strategy that cannot be made or that fails is named under ``errors`` and the others go on.
    Symbols with fewer candles than a strategy's warm-up get no signal of it.
    """
    result = Generated()
    strategies = _made(choices, result)
    longest = max((strategy.warm_up for _, strategy in strategies), default=0)
    for symbol in symbols if strategies else []:
        newest = candles.candles(symbol, timeframe, limit=longest + 1, newest_first=True)
        closed = [c for c in reversed(newest) if c.close_time <= now]
        fresh = []
        for choice, strategy in strategies:
            score = _score(choice, strategy, closed, result)
            if score is not None:
                fresh.append(_signal(choice, strategy, closed[-1], score, now, correlation_id))
        if fresh:
            created, unchanged = retried(lambda fresh=fresh: signals.record(fresh))  # type: ignore[misc]
            result.created += created
            result.unchanged += unchanged
    return result


def _made(
    choices: Sequence[StrategyChoice], result: Generated
) -> list[tuple[StrategyChoice, Strategy]]:
    """Make the strategies that can be made; the others are errors."""
    found = discover()
    made = []
    for choice in choices:
        try:
            made.append((choice, make(choice.name, choice.parameters, found)))
        except TradingError as error:
            result.errors[choice.name] = error.detail
    return made


def _score(
    choice: StrategyChoice, strategy: Strategy, closed: Sequence[Candle], result: Generated
) -> Decimal | None:
    """The score of the newest bar; None while warming up or when the strategy fails."""
    if len(closed) < strategy.warm_up:
        return None
    try:
        scores = strategy.score(columns_of(closed[-strategy.warm_up :]))
        last = float(scores[-1])
    except Exception as error:
        # Plug-ins are other people's code: theirs may fail in any way, the rest must go on.
        logger.exception("a strategy failed", extra={"strategy": choice.name})
        result.errors[choice.name] = f"failed on {closed[-1].symbol}: {type(error).__name__}"
        return None
    if len(scores) != strategy.warm_up or not -1 <= last <= 1:
        if len(scores) != strategy.warm_up or not math.isnan(last):
            result.errors[choice.name] = (
                f"gave {len(scores)} scores for {strategy.warm_up} bars, the last one {last}"
            )
        return None
    return Decimal(repr(round(last, SCORE_DIGITS)))


def _signal(
    choice: StrategyChoice,
    strategy: Strategy,
    candle: Candle,
    score: Decimal,
    now: datetime,
    correlation_id: str,
) -> Signal:
    """The one signal of a strategy with these parameters on this candle."""
    parameters = strategy.parameters.model_dump(mode="json")
    identity = json.dumps(parameters, sort_keys=True)
    time = candle.time.isoformat()
    return Signal(
        id=derived_id("sig", choice.name, identity, candle.symbol, candle.timeframe, time),
        symbol=candle.symbol,
        source=TECHNICAL,
        strategy=choice.name,
        score=score,
        time=candle.close_time,
        price=candle.close,
        timeframe=candle.timeframe,
        parameters=parameters,
        created_at=now,
        correlation_id=correlation_id,
    )
