"""Wire models of the signals service."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from trading.domain.signal import Signal
from trading.schemas.amount import Amount, OutAmount, PositiveAmount, Within, json_numbers
from trading.schemas.base import Symbol, UtcDatetime, Wire
from trading.schemas.market import Timeframe

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
Score = Annotated[Amount, Within(ge=-1, le=1)]


class SignalIn(Wire):
    """A signal of an outside source; ``score`` from -1 (sell) to 1 (buy).

    For an entry that follows: ``stop_distance`` and ``target_distance`` say where to leave it, as
    fractions of the price, ``size`` what part of the usual size to take.
    """

    symbol: Symbol
    source: Name
    strategy: Name
    score: Score
    time: UtcDatetime
    price: PositiveAmount | None = None
    stop_distance: Annotated[PositiveAmount, Within(lt=1)] | None = None
    target_distance: PositiveAmount | None = None
    size: Annotated[PositiveAmount, Within(le=1)] | None = None


class SignalOut(Wire):
    """A signal as it is stored."""

    id: str
    symbol: str
    source: str
    strategy: str
    score: OutAmount
    time: UtcDatetime
    price: OutAmount | None
    stop_distance: OutAmount | None
    target_distance: OutAmount | None
    size: OutAmount | None
    timeframe: str | None
    parameters: dict[str, Any]
    created_at: UtcDatetime
    correlation_id: str

    @classmethod
    def of(cls, signal: Signal) -> SignalOut:
        """The wire form of a signal."""
        own = signal.model_dump(exclude={"parameters"})
        return cls(**own, parameters=json_numbers(signal.parameters))


class StrategyChoiceIn(Wire):
    """A strategy by name, with parameters other than its defaults."""

    name: Name
    parameters: dict[str, Any] = Field(default_factory=dict, max_length=50)


class GenerateSignalsIn(Wire):
    """What to run on what; what is left out is as configured."""

    symbols: list[Symbol] | None = Field(default=None, min_length=1, max_length=100)
    timeframe: Timeframe | None = None
    strategies: list[Name | StrategyChoiceIn] | None = Field(
        default=None, min_length=1, max_length=50
    )


class GenerateSignalsOut(Wire):
    """How many signals were new and how many known; failed strategies with the reason."""

    created: int
    unchanged: int
    errors: dict[str, str]


class StrategyOut(Wire):
    """An installed strategy; ``parameters`` is the JSON schema of its parameters.

    ``problem`` is what keeps it, with its default parameters, off the schedule; null for one that
    passes the check.
    """

    name: str
    description: str
    warm_up: int
    parameters: dict[str, Any]
    problem: str | None


class StrategiesOut(Wire):
    """Installed strategies, and those that do not load with the reason."""

    strategies: list[StrategyOut]
    errors: dict[str, str]


class CheckIn(Wire):
    """What to check a strategy on, and with which parameters; the candles must be stored."""

    parameters: dict[str, Any] = Field(default_factory=dict, max_length=50)
    symbols: list[Symbol] | None = Field(default=None, min_length=1, max_length=5)
    timeframe: Timeframe | None = None


class CheckOut(Wire):
    """What was checked, on how many bars, and what is wrong with it: nothing, if it passed."""

    strategy: str
    passed: bool
    problems: list[str]
    parameters: dict[str, Any]
    symbols: list[str]
    timeframe: str
    bars: int
    code: str


class ScheduleIn(Wire):
    """What the schedule is to run; symbols and timeframe as configured where they are left out."""

    strategies: list[Name | StrategyChoiceIn] = Field(min_length=1, max_length=50)
    symbols: list[Symbol] | None = Field(default=None, min_length=1, max_length=100)
    timeframe: Timeframe | None = None


class ScheduleOut(Wire):
    """What the schedule runs.

    ``set_at`` is null where the stack's configuration says so. ``errors`` are strategies that it
    passes over, with the reason.
    """

    strategies: list[StrategyChoiceIn]
    symbols: list[str] | None
    timeframe: str
    set_at: UtcDatetime | None
    errors: dict[str, str]


class QualityOut(Wire):
    """One strategy's record; rates and returns are fractions, null before anything was scored."""

    source: str
    strategy: str
    signals: int
    scored: int
    hit_rate: OutAmount | None
    mean_return: OutAmount | None


class QualitiesOut(Wire):
    """Records by strategy, from the newest signals."""

    horizon_bars: int
    timeframe: str
    strategies: list[QualityOut]
