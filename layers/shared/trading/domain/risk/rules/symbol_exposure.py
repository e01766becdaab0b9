"""A cap on the exposure to one symbol, resting orders included."""

from trading.domain.order import Side
from trading.domain.risk.rule import OrderContext, RuleResult, at_most, exempt
from trading.domain.risk.rules.allocation import percent_of_equity


class SymbolExposure:
    """Holding, this order and resting buys together: at most ``max_symbol_exposure_percent``."""

    name = "symbol_exposure"

    def check(self, context: OrderContext) -> RuleResult:
        """Judge the exposure in percent of equity as if every resting buy were filled."""
        held = context.portfolio.position(context.order.symbol, context.order.currency)
        exposure = context.notional_after
        if context.order.side is Side.BUY:
            exposure += held.reserved_notional
        percent = percent_of_equity(context, exposure)
        judge = exempt if context.reduces_risk else at_most
        limit = context.limits.max_symbol_exposure_percent
        return judge(self.name, percent, limit, "symbol exposure %")
