"""A portfolio's risk limits."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from trading.domain.portfolio import TradingState
from trading.domain.risk.tail_figures import VarMethod
from trading.domain.value import Value

_OF_ALL_POSITIONS = (
    "max_allocation_percent",
    "max_symbol_exposure_percent",
    "max_gross_leverage",
    "max_net_leverage",
    "max_short_notional",
    "max_daily_loss",
    "max_daily_loss_percent",
    "max_drawdown_percent",
    "max_var_percent",
    "max_cvar_percent",
    "max_concentration_percent",
)


class RiskLimits(Value):
    """What a portfolio may do at most; None means not limited.

    Notionals, losses and borrowed cash are in the portfolio's base currency, leverages are
    exposure over equity, percentages are of equity (100 is all of it) unless their rule says
    otherwise. ``var_*`` say how value at risk and its shortfall are measured. ``on_breach`` is the
    trading state that a breach of ``max_daily_loss``, ``max_daily_loss_percent`` or
    ``max_drawdown_percent`` leads to. ``version`` counts the changes of the limits.
    """

    max_order_notional: Decimal | None = Field(default=None, gt=0)
    max_order_quantity: Decimal | None = Field(default=None, gt=0)
    max_position_notional: Decimal | None = Field(default=None, gt=0)
    max_allocation_percent: Decimal | None = Field(default=Decimal(25), gt=0)
    max_symbol_exposure_percent: Decimal | None = Field(default=Decimal(25), gt=0)
    max_gross_leverage: Decimal | None = Field(default=Decimal(2), gt=0)
    max_net_leverage: Decimal | None = Field(default=None, gt=0)
    max_short_notional: Decimal | None = Field(default=None, ge=0)
    max_borrowed_cash: Decimal | None = Field(default=None, ge=0)
    max_open_orders: int | None = Field(default=None, ge=0)
    max_daily_trades: int | None = Field(default=100, ge=0)
    max_daily_loss: Decimal | None = Field(default=None, gt=0)
    max_daily_loss_percent: Decimal | None = Field(default=None, gt=0, le=100)
    max_drawdown_percent: Decimal | None = Field(default=None, gt=0, le=100)
    max_var_percent: Decimal | None = Field(default=None, gt=0)
    max_cvar_percent: Decimal | None = Field(default=None, gt=0)
    var_method: VarMethod = VarMethod.HISTORICAL
    var_confidence: Decimal = Field(default=Decimal("0.95"), gt=Decimal("0.5"), lt=1)
    var_horizon_bars: int = Field(default=1, ge=1, le=100)
    var_window: int = Field(default=250, ge=30, le=2000)
    max_volatility_percent: Decimal | None = Field(default=None, gt=0)
    max_concentration_percent: Decimal | None = Field(default=None, gt=0)
    price_collar_percent: Decimal | None = Field(default=Decimal(50), gt=0)
    duplicate_window_seconds: int | None = Field(default=None, ge=1)
    cooldown_seconds: int | None = Field(default=None, ge=1)
    allowed_symbols: tuple[str, ...] | None = None
    on_breach: TradingState = TradingState.REDUCING
    version: int = 0

    @property
    def needs_all_positions(self) -> bool:
        """Whether a limit in force is measured on equity or on the other positions."""
        return any(getattr(self, name) is not None for name in _OF_ALL_POSITIONS)

    @property
    def needs_marks(self) -> bool:
        """Whether a limit in force is measured against earlier equity."""
        wanted = (self.max_daily_loss, self.max_daily_loss_percent, self.max_drawdown_percent)
        return any(limit is not None for limit in wanted)

    @property
    def needs_tail(self) -> bool:
        """Whether a limit in force is measured on the portfolio's tail state."""
        return self.max_var_percent is not None or self.max_cvar_percent is not None


NO_LIMITS = RiskLimits(
    max_allocation_percent=None,
    max_symbol_exposure_percent=None,
    max_gross_leverage=None,
    max_daily_trades=None,
    price_collar_percent=None,
)
"""Nothing is limited: what a backtest runs under unless it is given a portfolio's limits."""
