"""Orders below the venue's minimum value are refused."""

from __future__ import annotations

from trading.domain.risk.rule import OrderContext, RuleResult


class MinNotional:
    """The order's value must be at least the instrument's minimum notional (quote currency)."""

    name = "min_notional"
    limits = ()

    def check(self, context: OrderContext) -> RuleResult:
        """Judge the order's notional at the price it is judged at."""
        minimum, notional = context.instrument.min_notional, context.notional
        wording = "notional {0} against a minimum of {1}"
        return RuleResult(self.name, notional >= minimum, notional, minimum, wording, ())
