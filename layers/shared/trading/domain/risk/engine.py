"""Runs every rule on an order and keeps every result."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from trading.domain.errors import MissingRate
from trading.domain.risk.rule import OrderContext, RiskRule, RuleResult, Unmeasured
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
    """Run all ``rules``, none skipped because another failed, and return the verdict.

    A rule that cannot measure what it has a limit for fails, and says why; an order that only
    reduces risk passes it all the same.
    """
    results: list[RuleResult] = []
    reason = None
    for rule in rules:
        try:
            result = rule.check(context)
        except (Unmeasured, MissingRate) as error:
            result = _unmeasured(rule, context, str(error))
        results.append(result)
        if reason is None and not result.passed:
            reason = result.rule
    order = context.order
    return Decision.trusted(
        order_id=order.id,
        portfolio_id=order.portfolio_id,
        symbol=order.symbol,
        passed=reason is None,
        reason=reason,
        results=results,
        time=context.now,
        correlation_id=order.correlation_id,
    )


def _unmeasured(rule: RiskRule, context: OrderContext, why: str) -> RuleResult:
    """The result of a rule that lacks what it measures."""
    if context.reduces_risk:
        return RuleResult(rule.name, True, None, None, f"{why}; the order only reduces risk")
    return RuleResult(rule.name, False, None, None, why)
