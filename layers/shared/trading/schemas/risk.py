"""Wire models of the risk service."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from trading.domain.order import Side
from trading.domain.portfolio import Account, TradingState
from trading.domain.risk.engine import Decision
from trading.domain.risk.exposure import ExposureSnapshot
from trading.domain.risk.rule import RuleResult
from trading.domain.risk.stop import HoldingSide, Stop, StopKind, StopState
from trading.domain.time import TIMEFRAMES
from trading.schemas.amount import NonNegativeAmount, OutAmount, PositiveAmount, Within
from trading.schemas.base import Flag, Symbol, UtcDatetime, Whole, Wire
from trading.schemas.orders import OrderTerms


class RuleResultOut(Wire):
    """One rule's verdict: the measured value, the limit, and a sentence."""

    rule: str
    passed: bool
    value: OutAmount | None
    limit: OutAmount | None
    message: str

    @classmethod
    def of(cls, result: RuleResult) -> RuleResultOut:
        """The wire form of a result."""
        return cls(**result.as_dict())


class DecisionOut(Wire):
    """The verdict on one order, every rule's result kept."""

    order_id: str
    portfolio_id: str
    symbol: str
    passed: bool
    reason: str | None
    results: list[RuleResultOut]
    time: UtcDatetime
    correlation_id: str

    @classmethod
    def of(cls, decision: Decision) -> DecisionOut:
        """The wire form of a decision."""
        return cls(**decision.model_dump())


class EvaluateIn(OrderTerms):
    """An order to judge without placing it."""


class ExposureLine(Wire):
    """Exposure to one symbol, in the base currency and in percent of equity; shorts negative."""

    symbol: str
    quantity: OutAmount
    market_value: OutAmount
    resting_buys: OutAmount
    percent_of_equity: OutAmount


class SourceLine(Wire):
    """What one strategy or other source holds, in the base currency."""

    source: str
    long: OutAmount
    short: OutAmount
    net: OutAmount


class ExposureOut(Wire):
    """What a portfolio is exposed to, in the base currency; leverage is gross over equity."""

    portfolio_id: str
    time: UtcDatetime
    equity: OutAmount
    long: OutAmount
    short: OutAmount
    gross: OutAmount
    net: OutAmount
    leverage: OutAmount
    resting_buys: OutAmount
    trading_state: TradingState
    symbols: list[ExposureLine]
    sources: list[SourceLine]

    @classmethod
    def of(cls, snapshot: ExposureSnapshot) -> ExposureOut:
        """The wire form of an exposure."""
        return cls(**snapshot.model_dump())


class VarOut(Wire):
    """Value at risk and expected shortfall of the present holdings, as positive losses.

    In the base currency, over ``horizon_bars`` bars of ``timeframe``, at ``confidence``, from
    ``observations`` joint returns.
    """

    portfolio_id: str
    method: str
    confidence: OutAmount
    horizon_bars: int
    timeframe: str
    observations: int
    value_at_risk: OutAmount
    expected_shortfall: OutAmount


_TERMS: dict[StopKind, tuple[frozenset[str], ...]] = {
    StopKind.FIXED: (frozenset({"price"}),),
    StopKind.TAKE_PROFIT: (frozenset({"price"}),),
    StopKind.TRAILING: (frozenset({"trail_percent"}), frozenset({"trail_amount"})),
    StopKind.ATR: (frozenset({"atr_multiple"}), frozenset({"atr_multiple", "timeframe"})),
    StopKind.TIME: (frozenset({"after_seconds"}), frozenset({"at"})),
}
"""The terms that each kind of stop takes: one of these sets, and no other term."""


class StopIn(Wire):
    """A stop on a holding: ``long`` stands below the market, ``short`` above it.

    ``fixed`` and ``take_profit`` take a trigger ``price``. ``trailing`` follows the best price at
    ``trail_percent`` of it or at ``trail_amount``; ``atr`` at ``atr_multiple`` average true ranges
    of 14 bars (``timeframe``: the platform's unless given), measured again by the schedule, and
    never moving away from the market. ``time`` goes off ``after_seconds`` of holding, or ``at`` a
    moment on the portfolio's clock.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")
    symbol: Symbol
    kind: StopKind
    holding: HoldingSide = HoldingSide.LONG
    price: PositiveAmount | None = None
    trail_percent: Annotated[PositiveAmount, Within(lt=100)] | None = None
    trail_amount: PositiveAmount | None = None
    atr_multiple: Annotated[PositiveAmount, Within(le=100)] | None = None
    timeframe: str | None = Field(default=None, pattern=f"^({'|'.join(TIMEFRAMES)})$")
    after_seconds: Whole | None = Field(default=None, ge=1, le=10 * 366 * 86400)
    at: UtcDatetime | None = None

    @model_validator(mode="after")
    def _fits_kind(self) -> StopIn:
        given = self.model_dump(exclude={"id", "symbol", "kind", "holding"}, exclude_none=True)
        fits = _TERMS[self.kind]
        if frozenset(given) not in fits:
            choices = " or ".join(" and ".join(sorted(terms)) for terms in fits)
            raise ValueError(f"a stop of kind {self.kind.value} takes {choices}, and nothing else")
        return self


class StopsIn(Wire):
    """All stops a portfolio is to have; armed ones that are not named are removed."""

    stops: list[StopIn] = Field(max_length=100)

    @model_validator(mode="after")
    def _ids_differ(self) -> StopsIn:
        if len({(s.symbol, s.id) for s in self.stops}) != len(self.stops):
            raise ValueError("every stop of a symbol needs an id of its own")
        return self


class StopOut(Wire):
    """A stop as it stands; ``since`` is from when it has had a holding to watch."""

    id: str
    symbol: str
    kind: StopKind
    holding: HoldingSide
    price: OutAmount | None
    trail_percent: OutAmount | None
    trail_amount: OutAmount | None
    atr_multiple: OutAmount | None
    atr: OutAmount | None
    after_seconds: int | None
    at: UtcDatetime | None
    peak: OutAmount | None
    trigger_price: OutAmount | None
    since: UtcDatetime | None
    state: StopState
    updated_at: UtcDatetime

    @classmethod
    def of(cls, stop: Stop) -> StopOut:
        """The wire form of a stop."""
        own = stop.model_dump(include=set(cls.model_fields))
        return cls(**own, trigger_price=stop.trigger_price)


class StopsOut(Wire):
    """A portfolio's stops."""

    stops: list[StopOut]


class SizingMethod(StrEnum):
    """How a quantity is found."""

    FIXED_QUANTITY = "fixed_quantity"
    FIXED_NOTIONAL = "fixed_notional"
    FIXED_FRACTION = "fixed_fraction"
    VOLATILITY_TARGET = "volatility_target"
    ATR_RISK = "atr_risk"
    KELLY = "kelly"


class TailOut(Wire):
    """What orders' value at risk is judged on: from how many bars of which holdings, and when."""

    portfolio_id: str
    timeframe: str
    as_of: UtcDatetime
    observations: int
    symbols: list[str]


class SizeIn(Wire):
    """What to size, by which method, with the inputs that the method needs.

    Volatility and ATR are measured from stored candles when they are left out.
    """

    symbol: Symbol
    side: Side = Side.BUY
    method: SizingMethod
    quantity: PositiveAmount | None = None
    notional: PositiveAmount | None = None
    fraction: Annotated[PositiveAmount, Within(le=1)] | None = None
    target_volatility: Annotated[PositiveAmount, Within(le=10)] | None = None
    volatility: Annotated[PositiveAmount, Within(le=100)] | None = None
    atr: PositiveAmount | None = None
    atr_multiple: PositiveAmount | None = None
    win_rate: Annotated[NonNegativeAmount, Within(le=1)] | None = None
    payoff_ratio: PositiveAmount | None = None


class SizeOut(Wire):
    """The quantity, rounded down to whole lots, and what it is worth at the latest price.

    ``allowed_quantity`` is how much of it every rule would let pass now. ``notional`` is in the
    quote currency, ``base_notional`` in the portfolio's.
    """

    symbol: str
    side: Side
    method: SizingMethod
    quantity: OutAmount
    allowed_quantity: OutAmount
    notional: OutAmount
    base_notional: OutAmount
    price: OutAmount
    inputs: dict[str, OutAmount]


class HaltIn(Wire):
    """Why trading stops, and how far: ``halted`` lets nothing through, ``reducing`` only exits."""

    reason: str = Field(min_length=1, max_length=200)
    state: TradingState = TradingState.HALTED
    cancel_orders: Flag = True

    @model_validator(mode="after")
    def _not_active(self) -> HaltIn:
        if self.state is TradingState.ACTIVE:
            raise ValueError("state must be halted or reducing; POST …/resume makes it active")
        return self


class ResumeIn(Wire):
    """How trading resumes: ``rebase`` measures losses from the present equity on."""

    rebase: Flag = False


class TradingStateOut(Wire):
    """Whether a portfolio trades, why not, and what became of its resting orders.

    ``open_orders`` rest still; ``failed_orders`` says why some could not be cancelled.
    """

    portfolio_id: str
    trading_state: TradingState
    reason: str | None
    cancelled_orders: int
    open_orders: int
    failed_orders: dict[str, str]

    @classmethod
    def of(cls, account: Account, done: list[str], failed: dict[str, str]) -> TradingStateOut:
        """The wire form of an account's trading state after cancelling."""
        return cls(
            portfolio_id=account.portfolio_id,
            trading_state=account.trading_state,
            reason=account.trading_state_reason,
            cancelled_orders=len(done),
            open_orders=account.open_orders,
            failed_orders=failed,
        )
