"""The same order twice in a row is a mistake."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from trading.domain.risk.rule import OrderContext, RuleResult


class DuplicateOrder:
    """No order may ask for the same as one accepted within ``duplicate_window_seconds``.

    The same is: symbol, side, type, quantity and prices. The value counts such orders.
    """

    name = "duplicate_order"
    limits = ("duplicate_window_seconds",)

    def __init__(self) -> None:
        self._free = RuleResult(self.name, True, None, None, "duplicates are not looked for")

    def check(self, context: OrderContext) -> RuleResult:
        """Look for the order's twin among the position's recent orders."""
        window = context.limits.duplicate_window_seconds
        if window is None or context.already_accepted:
            return self._free
        since = context.now - timedelta(seconds=window)
        twins = sum(
            recent.fingerprint == context.order.request_hash and recent.time > since
            for recent in context.held.recent_orders or ()
        )
        wording = "{0} like it were accepted within {2} s"
        facts = (str(window),)
        return RuleResult(self.name, not twins, Decimal(twins), Decimal(0), wording, facts)
