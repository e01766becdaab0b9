"""A cap on how much the instrument moves."""

from __future__ import annotations

from decimal import Decimal

from trading.domain.risk.rule import Cap, OrderContext, Unmeasured


class Volatility(Cap):
    """The instrument's annualised volatility may be at most ``max_volatility_percent``."""

    name = "volatility"
    limits = ("max_volatility_percent",)
    what = "volatility %"

    def measure(self, context: OrderContext) -> Decimal:
        """The annualised standard deviation of its returns, in percent."""
        if context.volatility is None:
            symbol = context.order.symbol
            raise Unmeasured(
                f"the volatility of {symbol} is not known yet: it needs stored candles, and is"
                f" computed by the risk schedule or at once by GET /risk/{{pid}}/var"
            )
        return context.volatility * 100
