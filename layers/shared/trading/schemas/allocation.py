"""Wire models of allocation."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field, model_validator

from trading.domain.order import Side
from trading.domain.rebalance import AllocationMethod, BandKind
from trading.schemas.amount import Amount, NonNegativeAmount, OutAmount, PositiveAmount, Within
from trading.schemas.base import Flag, PortfolioId, Symbol, Whole, Wire
from trading.schemas.recommendations import RecommendationOut
from trading.schemas.risk import RuleResultOut

Fraction = Annotated[NonNegativeAmount, Within(le=1)]


class AllocationIn(Wire):
    """Target weights as fractions of equity, or a method over some symbols that finds them.

    A weight may be negative only with margin. A method is long only, invests ``invest_fraction``
    of equity less the cash buffer, keeps each symbol between its ``min_weight`` and
    ``max_weight``, and measures risk on the last ``window_bars`` bars.

    Symbols within ``drift_band`` of their target do not trade; the others go all the way
    (``absolute`` is in weight, ``relative`` a fraction of the target). Trades below ``min_trade``
    (base currency) are left. The larger of both cash buffers is kept. All trades together are at
    most ``max_turnover`` times equity, sells first. With ``dry_run`` nothing is written.
    """

    weights: dict[Symbol, Amount] | None = Field(default=None, min_length=1, max_length=100)
    method: AllocationMethod | None = None
    symbols: list[Symbol] | None = Field(default=None, min_length=1, max_length=100)
    invest_fraction: Annotated[PositiveAmount, Within(le=1)] = Decimal("0.95")
    min_weight: dict[Symbol, Fraction] = Field(default_factory=dict)
    max_weight: dict[Symbol, Fraction] = Field(default_factory=dict)
    window_bars: Whole = Field(default=60, ge=20, le=500)
    drift_band: Fraction = Decimal(0)
    drift_band_kind: BandKind = BandKind.ABSOLUTE
    min_trade: NonNegativeAmount = Decimal(0)
    cash_buffer_fraction: Fraction = Decimal(0)
    cash_buffer_amount: NonNegativeAmount = Decimal(0)
    max_turnover: NonNegativeAmount | None = None
    dry_run: Flag = True

    @model_validator(mode="after")
    def _one_way(self) -> AllocationIn:
        if (self.weights is None) == (self.method is None):
            raise ValueError("give either weights or a method")
        if self.method is not None and not self.symbols:
            raise ValueError("a method needs symbols")
        if self.weights is not None and (self.symbols or self.min_weight or self.max_weight):
            raise ValueError("symbols, min_weight and max_weight go with a method, not weights")
        for name, bounds in (("min_weight", self.min_weight), ("max_weight", self.max_weight)):
            strange = sorted(bounds.keys() - set(self.symbols or ()))
            if strange:
                raise ValueError(f"{name} names '{strange[0]}', which symbols does not")
        return self


class PlannedOrder(Wire):
    """An order that an allocation asks for, and what risk says about it.

    It is judged on the books as the orders before it will leave them. ``notional`` is at the
    latest price, in the base currency; ``weight`` is the symbol's target.
    """

    symbol: str
    side: Side
    quantity: OutAmount
    notional: OutAmount
    weight: OutAmount
    passed: bool
    reason: str | None
    risk: list[RuleResultOut]


class AllocationOut(Wire):
    """The planned orders, sells first, and the recommendations made unless it was a dry run.

    ``left`` says of symbols that do not trade why.
    """

    portfolio_id: PortfolioId
    dry_run: bool
    weights: dict[str, OutAmount]
    orders: list[PlannedOrder]
    left: dict[str, str]
    recommendations: list[RecommendationOut]
