"""Wire models of the backtesting service."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from trading.domain.backtest import Gear
from trading.domain.backtest_run import BacktestRun, RunStatus, Sweep, SweepStatus
from trading.domain.fill_model import FillTiming
from trading.domain.position import CostMethod
from trading.schemas.amount import (
    Amount,
    NonNegativeAmount,
    OutAmount,
    PositiveAmount,
    Within,
    json_numbers,
)
from trading.schemas.base import Flag, Symbol, UtcDatetime, Whole, Wire
from trading.schemas.limits import LimitsIn
from trading.schemas.market import CURRENCY, Timeframe
from trading.schemas.policy import PolicyTerms
from trading.schemas.portfolio import FillTerms
from trading.schemas.signals import Name

Objective = Literal["sharpe", "sortino", "calmar", "total_return", "profit_factor"]
Figures = dict[str, float | int | None]


class BacktestFillTerms(FillTerms):
    """What trading costs, as of a portfolio; a backtest fills at the next bar unless told else."""

    timing: FillTiming = FillTiming.NEXT_BAR


class FundingRateIn(Wire):
    """What holding a perpetual costs at a moment: longs pay ``rate`` of the notional to shorts."""

    symbol: Symbol
    time: UtcDatetime
    rate: Annotated[Amount, Within(ge=-1, le=1)]


class BacktestIn(Wire):
    """A strategy, the candles that it sees, and the account that it trades.

    ``start`` and ``end`` bound the opening times of the bars, at or after and before; without them
    all stored candles count. Instruments are those of the market service, all quoted in
    ``base_currency`` (that of the first symbol when left out). What ``policy`` leaves out is as for
    one who puts all cash in, in equal parts, valid for five days. Without ``limits`` none hold.
    """

    strategy: Name
    parameters: dict[str, Any] = Field(default_factory=dict, max_length=50)
    symbols: list[Symbol] = Field(min_length=1, max_length=50)
    timeframe: Timeframe
    start: UtcDatetime | None = None
    end: UtcDatetime | None = None
    base_currency: str | None = Field(default=None, pattern=CURRENCY)
    cash: PositiveAmount = Decimal(100_000)
    commission_rate: Annotated[NonNegativeAmount, Within(le=Decimal("0.1"))] = Decimal(0)
    fill_model: BacktestFillTerms = Field(default_factory=BacktestFillTerms)
    margin: Flag = False
    borrow_rate: Annotated[NonNegativeAmount, Within(le=10)] = Decimal(0)
    cost_method: CostMethod = CostMethod.AVERAGE
    policy: PolicyTerms = Field(default_factory=PolicyTerms)
    limits: LimitsIn | None = None
    funding: list[FundingRateIn] = Field(default_factory=list, max_length=2000)
    gear: Gear = Gear.AUTO

    @model_validator(mode="after")
    def _makes_sense(self) -> BacktestIn:
        if len(set(self.symbols)) < len(self.symbols):
            raise ValueError("symbols must name each symbol once")
        if self.start and self.end and self.start >= self.end:
            raise ValueError("start must be before end")
        strange = sorted({rate.symbol for rate in self.funding} - set(self.symbols))
        if strange:
            raise ValueError(f"funding names '{strange[0]}', which symbols does not")
        return self


class SweepIn(BacktestIn):
    """A backtest over many parameters, and what it may cost.

    ``space`` gives a parameter a list of values, ``{"range": [first, last, step]}`` or, for the
    method random, ``{"uniform": [low, high]}``; ``parameters`` are those that stay the same.
    ``trials`` is how many are drawn at random. The sweep stops before it costs more than
    ``max_cost_usd`` in computing and can be resumed.
    """

    space: dict[str, Any] = Field(min_length=1, max_length=20)
    method: Literal["grid", "random"] = "grid"
    trials: Whole = Field(default=100, ge=1, le=100_000)
    seed: Whole = Field(default=1, ge=0, le=2**31)
    objective: Objective = "sharpe"
    max_cost_usd: Annotated[PositiveAmount, Within(le=10_000)] = Decimal(1)


class ResumeSweepIn(Wire):
    """How to go on with a sweep: with the cap that it has, or another."""

    max_cost_usd: Annotated[PositiveAmount, Within(le=10_000)] | None = None


class BacktestOut(Wire):
    """A backtest, and how far it is.

    ``figures`` are its key figures once it is done: rates and returns are fractions. ``cached``
    tells that the same had been computed before. ``gear`` is what ran it, ``why_reference`` why it
    was not the compiled one. ``error`` says why it failed.
    """

    id: str
    status: RunStatus
    strategy: str
    parameters: dict[str, Any]
    symbols: list[str]
    timeframe: str
    start: UtcDatetime | None
    end: UtcDatetime | None
    created_at: UtcDatetime
    updated_at: UtcDatetime
    correlation_id: str
    cached: bool
    data_hash: str | None
    gear: str | None
    why_reference: str | None
    bars: int | None
    fills: int | None
    figures: Figures
    error: str | None

    @classmethod
    def of(cls, run: BacktestRun) -> BacktestOut:
        """The wire form of a run."""
        return cls(**_run_fields(run))


class BacktestDetail(BacktestOut):
    """A backtest with all of its statistics, and links to its files that are good for 15 minutes.

    ``config`` is what ``trading backtest rerun`` takes.
    """

    config: dict[str, Any]
    statistics: dict[str, Any] | None
    files: dict[str, str]

    @classmethod
    def whole(
        cls, run: BacktestRun, statistics: dict[str, Any] | None, files: dict[str, str]
    ) -> BacktestDetail:
        """The wire form of a run with what came of it."""
        config = run.config.model_dump(mode="json")
        return cls(**_run_fields(run), config=config, statistics=statistics, files=files)


class TrialOut(Wire):
    """One combination and its figures."""

    parameters: dict[str, Any]
    figures: Figures


class RankingOut(Wire):
    """How far a sweep's winner can be believed, and then the best trials.

    ``deflated_sharpe`` is the probability that the winner's Sharpe ratio is more than luck among so
    many trials, ``overfitting`` that of backtest overfitting; null where they mean nothing.
    ``failures`` are reasons why combinations could not be run.
    """

    objective: str
    deflated_sharpe: float | None
    overfitting: float | None
    trials: int
    failed: int
    failures: list[str]
    best: list[TrialOut]


class SweepOut(Wire):
    """A sweep, and how far it is.

    ``trials`` is how many combinations there are, ``known`` how many had been computed before,
    ``tried`` how many this attempt has computed. ``spent_usd`` counts all attempts.
    """

    id: str
    status: SweepStatus
    strategy: str
    symbols: list[str]
    timeframe: str
    start: UtcDatetime | None
    end: UtcDatetime | None
    space: dict[str, Any]
    method: str
    objective: str
    attempt: int
    trials: int | None
    known: int
    tried: int
    failed: int
    max_cost_usd: OutAmount
    estimated_cost_usd: OutAmount
    spent_usd: OutAmount
    created_at: UtcDatetime
    updated_at: UtcDatetime
    correlation_id: str
    error: str | None

    @classmethod
    def of(cls, sweep: Sweep) -> SweepOut:
        """The wire form of a sweep."""
        return cls(**_sweep_fields(sweep))


class SweepDetail(SweepOut):
    """A sweep with its ranking, once there is one, and a link to all trials."""

    ranking: RankingOut | None
    files: dict[str, str]

    @classmethod
    def whole(
        cls, sweep: Sweep, ranking: dict[str, Any] | None, files: dict[str, str]
    ) -> SweepDetail:
        """The wire form of a sweep with what came of it."""
        ranked = RankingOut(**ranking) if ranking else None
        return cls(**_sweep_fields(sweep), ranking=ranked, files=files)


def _run_fields(run: BacktestRun) -> dict[str, Any]:
    config = run.config
    own = run.model_dump(exclude={"config_text", "attempts", "result_key", "figures"})
    return {
        **own,
        "figures": json_numbers(run.figures),
        "strategy": config.strategy,
        "parameters": config.parameters,
        "symbols": config.symbols,
        "timeframe": config.timeframe,
        "start": config.start,
        "end": config.end,
    }


def _sweep_fields(sweep: Sweep) -> dict[str, Any]:
    config = sweep.config
    names = ("id", "status", "method", "objective", "attempt", "trials", "known", "tried")
    more = ("failed", "created_at", "updated_at", "correlation_id", "error")
    return {
        **{name: getattr(sweep, name) for name in (*names, *more)},
        "max_cost_usd": sweep.max_cost,
        "estimated_cost_usd": sweep.estimated_cost,
        "spent_usd": sweep.spent,
        "strategy": config.strategy,
        "symbols": config.symbols,
        "timeframe": config.timeframe,
        "start": config.start,
        "end": config.end,
        "space": sweep.space,
    }
