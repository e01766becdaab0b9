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
            order = context.order
            raise Unmeasured(
                f"the volatility of {order.symbol} was never computed: post candles; the risk"
                f" schedule computes it, and POST /risk/{order.portfolio_id}/var/refresh at once"
            )
        return context.volatility * 100
