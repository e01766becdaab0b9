"""The kill switch."""

from __future__ import annotations

from trading.domain.portfolio import TradingState
from trading.domain.risk.rule import OrderContext, RuleResult


class TradingStateRule:
    """Active lets everything through, reducing only orders that cut risk, halted nothing."""

    name = "trading_state"
    limits = ()

    def check(self, context: OrderContext) -> RuleResult:
        """Judge the order by the portfolio's trading state."""
        account = context.portfolio.account
        state = account.trading_state
        passed = state is TradingState.ACTIVE or (
            state is TradingState.REDUCING and context.reduces_risk
        )
        cause = account.trading_state_reason
        wording, facts = (
            ("trading is {2}: {3}", (state.value, cause))
            if cause
            else ("trading is {2}", (state.value,))
        )
        return RuleResult(self.name, passed, None, None, wording, facts)
