"""No new risk in a symbol right after a stop went off."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from trading.domain.risk.rule import OrderContext, RuleResult


class Cooldown:
    """A symbol that a stop has closed rests for ``cooldown_seconds``; reducing goes on."""

    name = "cooldown"
    limits = ("cooldown_seconds",)

    def __init__(self) -> None:
        self._free = RuleResult(self.name, True, None, None, "no cooldown is running")

    def check(self, context: OrderContext) -> RuleResult:
        """Compare the time since the stop, in seconds, with the cooldown."""
        seconds, stopped = context.limits.cooldown_seconds, context.held.stopped_at
        if seconds is None or stopped is None:
            return self._free
        passed_by = context.now - stopped
        over = passed_by >= timedelta(seconds=seconds)
        value = Decimal(passed_by // timedelta(microseconds=1)).scaleb(-6)
        wording = "a stop closed {2} {0} s ago, the cooldown is {1} s"
        passed = over or context.reduces_risk
        facts = (context.order.symbol,)
        return RuleResult(self.name, passed, value, Decimal(seconds), wording, facts)
