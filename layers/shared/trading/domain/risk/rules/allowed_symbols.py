"""Only instruments on the list."""

from __future__ import annotations

from trading.domain.risk.rule import OrderContext, RuleResult


class AllowedSymbols:
    """The symbol must be one of ``allowed_symbols``; one that is not may only be reduced."""

    name = "allowed_symbols"
    limits = ("allowed_symbols",)

    def __init__(self) -> None:
        self._free = RuleResult(self.name, True, None, None, "every instrument is allowed")

    def check(self, context: OrderContext) -> RuleResult:
        """Look the symbol up."""
        allowed, symbol = context.limits.allowed_symbols, context.order.symbol
        if allowed is None:
            return self._free
        if symbol in allowed:
            return RuleResult(self.name, True, None, None, "{2} is allowed", (symbol,))
        if context.reduces_risk:
            wording = "{2} is not allowed, but the order only reduces risk"
            return RuleResult(self.name, True, None, None, wording, (symbol,))
        return RuleResult(self.name, False, None, None, "{2} is not among those allowed", (symbol,))
