"""The kill switch."""

from trading.domain.portfolio import TradingState
from trading.domain.risk.rule import OrderContext, RuleResult


class TradingStateRule:
    """Active lets everything through, reducing only orders that cut risk, halted nothing."""

    name = "trading_state"

    def check(self, context: OrderContext) -> RuleResult:
        """Judge the order by the portfolio's trading state."""
        state = context.portfolio.account.trading_state
        reducing = state is TradingState.REDUCING and context.reduces_risk
        cause = context.portfolio.account.trading_state_reason
        return RuleResult(
            rule=self.name,
            passed=state is TradingState.ACTIVE or reducing,
            value=None,
            limit=None,
            message=f"trading is {state}" + (f": {cause}" if cause else ""),
        )
