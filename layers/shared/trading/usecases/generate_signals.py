"""Runs strategies on the newest closed candles and keeps what they say."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from trading.domain.candle import Candle
from trading.domain.errors import StrategyFailed, TradingError
from trading.domain.identifiers import derived_id
from trading.domain.signal import Signal
from trading.ports import CandleHistory
from trading.quant.strategies.gate import admit
from trading.quant.strategies.registry import discover, make
from trading.quant.strategies.scored import NO_SCORE, millionths, others_of, scored
from trading.quant.strategies.strategy import Candles, Strategy, columns_of
from trading.usecases.closed_candles import closed_candles
from trading.usecases.retry import retried

TECHNICAL = "technical"
LIMIT_SECONDS = 10.0
"""How long one strategy may take for one symbol."""


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
    *,
    unattended: bool = False,
) -> Generated:
    """Score each symbol's newest closed candle by each strategy; the same candle only once.

    A strategy that cannot be made or that fails is named under ``errors`` and the others go on;
    ``unattended``, so is one that does not pass the check.
    Symbols with fewer candles than a strategy's warm-up get no signal of it.
    """
    result = Generated()
    universe = sorted(set(symbols))
    strategies = _made(choices, result, universe if unattended else None)
    longest = max((strategy.warm_up for _, strategy in strategies), default=0)
    windows = _Windows(candles, timeframe, longest, now)
    for symbol in symbols if strategies else []:
        fresh = []
        for choice, strategy in strategies:
            closed = windows.closed(symbol)
            if len(closed) < strategy.warm_up:
                continue
            try:
                said = _newest(choice.name, strategy, universe, windows, symbol)
            except TradingError as error:
                result.errors[choice.name] = getattr(error, "why", error.detail)
                continue
            fresh.append(_signal(choice, strategy, closed[-1], said, now, correlation_id))
        if fresh:
            created, unchanged = retried(lambda fresh=fresh: signals.record(fresh))  # type: ignore[misc]
            result.created += created
            result.unchanged += unchanged
    return result


class _Windows:
    """The newest closed candles of each symbol, read once."""

    def __init__(self, history: CandleHistory, timeframe: str, bars: int, now: datetime) -> None:
        self._history = history
        self._timeframe = timeframe
        self._bars = bars
        self._now = now
        self._read: dict[str, list[Candle]] = {}

    def closed(self, symbol: str) -> list[Candle]:
        """Oldest first: as many as the longest warm-up, and the one that may still be open."""
        if symbol not in self._read:
            self._read[symbol] = closed_candles(
                self._history, symbol, self._timeframe, self._bars, self._now
            )
        return self._read[symbol]

    def beside(self, symbol: str, first: datetime, last: datetime) -> Candles | None:
        """Another symbol's closed candles that open from ``first`` to ``last``; None if none do.

        They are read anew where its newest ones do not reach back as far.
        """
        known = self.closed(symbol)
        if known and known[0].time > first and len(known) >= self._bars:
            found = self._history.candles(symbol, self._timeframe, first, last)
        else:
            found = [candle for candle in known if first <= candle.time <= last]
        closed = [candle for candle in found if candle.close_time <= self._now]
        return columns_of(closed) if closed else None


def _newest(
    name: str, strategy: Strategy, universe: Sequence[str], windows: _Windows, symbol: str
) -> dict[str, Decimal | None]:
    """What a strategy says of a symbol's newest bar: score and hints.

    Raises TradingError for what it does wrong, and for a symbol beside it that has no candles.
    """
    window = windows.closed(symbol)[-strategy.warm_up :]
    wanted = others_of(strategy, name, symbol, universe)
    beside = {}
    for other in wanted:
        found = windows.beside(other, window[0].time, window[-1].time)
        if found is None:
            raise StrategyFailed(name, f"needs candles of '{other}' beside {symbol}'s")
        beside[other] = found
    says = scored(strategy, columns_of(window).seeing(beside), name, LIMIT_SECONDS)
    columns = {
        "score": says.scores,
        "stop_distance": says.stop_distance,
        "target_distance": says.target_distance,
        "size": says.size,
    }
    return {
        field: None if units is None or units[-1] == NO_SCORE else millionths(int(units[-1]))
        for field, units in columns.items()
    }


def _made(
    choices: Sequence[StrategyChoice], result: Generated, checked_on: Sequence[str] | None
) -> list[tuple[StrategyChoice, Strategy]]:
    """Make the strategies that can be made, and may run on these symbols; the others are errors."""
    found = discover()
    made = []
    for choice in choices:
        try:
            strategy = make(choice.name, choice.parameters, found)
            if checked_on is not None:
                admit(strategy, choice.name, checked_on)
            made.append((choice, strategy))
        except TradingError as error:
            result.errors[choice.name] = getattr(error, "why", error.detail)
    return made


def _signal(
    choice: StrategyChoice,
    strategy: Strategy,
    candle: Candle,
    said: Mapping[str, Decimal | None],
    now: datetime,
    correlation_id: str,
) -> Signal:
    """The one signal of a strategy with these parameters on this candle."""
    parameters = strategy.parameters.model_dump(mode="json")
    identity = json.dumps(parameters, sort_keys=True)
    time = candle.time.isoformat()
    fields: dict[str, Any] = dict(said)
    return Signal(
        **fields,
        id=derived_id("sig", choice.name, identity, candle.symbol, candle.timeframe, time),
        symbol=candle.symbol,
        source=TECHNICAL,
        strategy=choice.name,
        time=candle.close_time,
        price=candle.close,
        timeframe=candle.timeframe,
        parameters=parameters,
        created_at=now,
        correlation_id=correlation_id,
    )
