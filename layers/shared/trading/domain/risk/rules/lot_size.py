"""Quantities come in whole lots."""

from trading.domain.money import floor_to_step, is_multiple, plain
from trading.domain.risk.rule import OrderContext, RuleResult


class LotSize:
    """The quantity must be a whole multiple of the instrument's lot size."""

    name = "lot_size"

    def check(self, context: OrderContext) -> RuleResult:
        """Judge the order's quantity; the sentence names the nearest smaller valid one."""
        lot, quantity = context.instrument.lot_size, context.order.quantity
        passed = is_multiple(quantity, lot)
        hint = "" if passed else f"; {plain(floor_to_step(quantity, lot))} would be"
        return RuleResult(
            rule=self.name,
            passed=passed,
            value=quantity,
            limit=lot,
            message=f"quantity {plain(quantity)} is {'' if passed else 'not '}a multiple of"
            f" the lot size {plain(lot)}{hint}",
        )
