"""Runs every rule on an order and keeps every result."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from trading.domain.risk.rule import OrderContext, RiskRule, RuleResult
from trading.domain.risk.rules import ALL_RULES
from trading.domain.value import Value


class Decision(Value):
    """The verdict on one order: every rule's result, and the first failed rule as the reason."""

    order_id: str
    portfolio_id: str
    symbol: str
    passed: bool
    reason: str | None
    results: list[RuleResult]
    time: datetime
    correlation_id: str

    @property
    def failures(self) -> list[RuleResult]:
        """The results that did not pass."""
        return [result for result in self.results if not result.passed]


def judge(context: OrderContext, rules: Sequence[RiskRule] = ALL_RULES) -> Decision:
    """Run all ``rules``, none skipped because another failed, and return the verdict."""
    results = [rule.check(context) for rule in rules]
    reason = next((result.rule for result in results if not result.passed), None)
    return Decision(
        order_id=context.order.id,
        portfolio_id=context.order.portfolio_id,
        symbol=context.order.symbol,
        passed=reason is None,
        reason=reason,
        results=results,
        time=context.now,
        correlation_id=context.order.correlation_id,
    )
