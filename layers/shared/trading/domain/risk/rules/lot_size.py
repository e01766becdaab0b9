"""Quantities come in whole lots."""

from __future__ import annotations

from trading.domain.money import floor_to_step, is_multiple
from trading.domain.risk.rule import OrderContext, RuleResult


class LotSize:
    """The quantity must be a whole multiple of the instrument's lot size."""

    name = "lot_size"
    limits = ()

    def check(self, context: OrderContext) -> RuleResult:
        """Judge the order's quantity; the sentence names the nearest smaller valid one."""
        lot, quantity = context.instrument.lot_size, context.order.quantity
        if is_multiple(quantity, lot):
            wording = "quantity {0} is a multiple of the lot size {1}"
            return RuleResult(self.name, True, quantity, lot, wording, ())
        wording = "quantity {0} is not a multiple of the lot size {1}; {2} would be"
        smaller = floor_to_step(quantity, lot)
        return RuleResult(self.name, False, quantity, lot, wording, (smaller,))
