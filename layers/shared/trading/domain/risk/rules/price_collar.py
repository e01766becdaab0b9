"""A collar around the mark, against mistyped orders and broken prices."""

from __future__ import annotations

from decimal import ROUND_UP, Decimal

from trading.domain.money import MAX_SCALE, ZERO
from trading.domain.risk.rule import OrderContext, RuleResult, Unmeasured

_STEP = Decimal(1).scaleb(-MAX_SCALE)


class PriceCollar:
    """The order's prices and the mark's last move must be within ``price_collar_percent``.

    An order's limit and stop price are held against the mark, the mark against the price before
    it. It binds orders that reduce risk as well: a broken price is no price to sell at. An order
    that rested already is judged by the mark alone.
    """

    name = "price_collar"
    limits = ("price_collar_percent",)

    def __init__(self) -> None:
        self._free = RuleResult(self.name, True, None, None, "prices are not held to a collar")

    def check(self, context: OrderContext) -> RuleResult:
        """Compare the largest distance, in percent of what it is held against, with the limit."""
        limit, mark = context.limits.price_collar_percent, context.mark
        if limit is None:
            return self._free
        if mark is None:
            raise Unmeasured(f"{context.order.symbol} has no price yet to hold the order against")
        order, price = context.order, mark.price
        furthest, what = ZERO, "the mark"
        if mark.previous is not None:
            furthest = _distance(price, mark.previous)
            what = "the mark's distance from the price before it"
        if not context.already_accepted:
            for name, own in (("limit", order.limit_price), ("stop", order.stop_price)):
                if own is not None and _distance(own, price) > furthest:
                    furthest, what = (
                        _distance(own, price),
                        f"the {name} price's distance from the mark",
                    )
        passed = furthest <= limit
        wording = "{2} is {0} %, {1} % are allowed"
        return RuleResult(self.name, passed, furthest, limit, wording, (what,))


def _distance(price: Decimal, reference: Decimal) -> Decimal:
    """How far apart they are, in percent of ``reference`` > 0, rounded up."""
    if price == reference:
        return ZERO
    return (abs(price - reference) * 100 / reference).quantize(_STEP, ROUND_UP)
