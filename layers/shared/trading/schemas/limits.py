"""Wire models of a portfolio's risk limits."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from trading.domain.portfolio import TradingState
from trading.domain.risk.contradictions import contradictions
from trading.domain.risk.limits import RiskLimits
from trading.domain.risk.tail import MIN_OBSERVATIONS, VarMethod
from trading.schemas.amount import NonNegativeAmount, OutAmount, PositiveAmount, Within
from trading.schemas.base import Symbol, Whole, Wire


class LimitsIn(Wire):
    """Limits to set; null or left out means not limited.

    Amounts are in the base currency, percentages are of equity where 100 is all of it, leverage is
    exposure over equity.
    """

    max_order_notional: PositiveAmount | None = None
    max_order_quantity: PositiveAmount | None = None
    max_position_notional: PositiveAmount | None = None
    max_allocation_percent: PositiveAmount | None = None
    max_symbol_exposure_percent: PositiveAmount | None = None
    max_gross_leverage: PositiveAmount | None = None
    max_net_leverage: PositiveAmount | None = None
    max_short_notional: NonNegativeAmount | None = None
    max_borrowed_cash: NonNegativeAmount | None = None
    max_open_orders: Whole | None = Field(default=None, ge=0, le=10_000)
    max_daily_trades: Whole | None = Field(default=None, ge=0, le=1_000_000)
    max_daily_loss: PositiveAmount | None = None
    max_daily_loss_percent: Annotated[PositiveAmount, Within(le=100)] | None = None
    max_drawdown_percent: Annotated[PositiveAmount, Within(le=100)] | None = None
    max_var_percent: PositiveAmount | None = None
    max_cvar_percent: PositiveAmount | None = None
    var_method: VarMethod = VarMethod.HISTORICAL
    var_confidence: Annotated[PositiveAmount, Within(gt=Decimal("0.5"), lt=1)] = Decimal("0.95")
    var_horizon_bars: Whole = Field(default=1, ge=1, le=100)
    var_window: Whole = Field(default=250, ge=MIN_OBSERVATIONS, le=2000)
    max_volatility_percent: PositiveAmount | None = None
    max_concentration_percent: PositiveAmount | None = None
    price_collar_percent: PositiveAmount | None = None
    duplicate_window_seconds: Whole | None = Field(default=None, ge=1, le=86_400)
    cooldown_seconds: Whole | None = Field(default=None, ge=1, le=30 * 86_400)
    allowed_symbols: list[Symbol] | None = Field(default=None, min_length=1, max_length=1000)
    on_breach: TradingState = TradingState.REDUCING

    def limits(self) -> RiskLimits:
        """The limits that these are."""
        return RiskLimits(**self.model_dump())

    @model_validator(mode="after")
    def _do_not_contradict_each_other(self) -> LimitsIn:
        found = [
            InitErrorDetails(
                type=PydanticCustomError("contradiction", "{why}", {"why": why}),
                loc=(field,),
                input=None,
            )
            for field, why in contradictions(self.limits())
        ]
        if found:
            raise ValidationError.from_exception_data("limits", found)
        return self


class LimitsOut(Wire):
    """The limits in force; ``version`` counts their changes, 0 means the defaults.

    The defaults let one instrument have a quarter of equity, gross exposure be twice equity, a
    price be 50 % away from the one that it is held against, and a day have 100 orders; nothing else
    is limited. A PUT replaces them all, so that what it leaves out is no longer limited.
    """

    max_order_notional: OutAmount | None
    max_order_quantity: OutAmount | None
    max_position_notional: OutAmount | None
    max_allocation_percent: OutAmount | None
    max_symbol_exposure_percent: OutAmount | None
    max_gross_leverage: OutAmount | None
    max_net_leverage: OutAmount | None
    max_short_notional: OutAmount | None
    max_borrowed_cash: OutAmount | None
    max_open_orders: int | None
    max_daily_trades: int | None
    max_daily_loss: OutAmount | None
    max_daily_loss_percent: OutAmount | None
    max_drawdown_percent: OutAmount | None
    max_var_percent: OutAmount | None
    max_cvar_percent: OutAmount | None
    var_method: VarMethod
    var_confidence: OutAmount
    var_horizon_bars: int
    var_window: int
    max_volatility_percent: OutAmount | None
    max_concentration_percent: OutAmount | None
    price_collar_percent: OutAmount | None
    duplicate_window_seconds: int | None
    cooldown_seconds: int | None
    allowed_symbols: list[str] | None
    on_breach: TradingState
    version: int
