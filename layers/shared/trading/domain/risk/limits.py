"""A portfolio's risk limits."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from trading.domain.value import Value


class RiskLimits(Value):
    """What a portfolio may do at most; None means not limited.

    Notionals are in the portfolio's base currency, percentages are of equity (100 is all of it).
    ``version`` counts the changes of the limits.
    """

    max_order_notional: Decimal | None = Field(default=None, gt=0)
    max_order_quantity: Decimal | None = Field(default=None, gt=0)
    max_allocation_percent: Decimal | None = Field(default=Decimal(25), gt=0)
    max_symbol_exposure_percent: Decimal | None = Field(default=Decimal(25), gt=0)
    max_daily_trades: int | None = Field(default=100, ge=0)
    version: int = 0
