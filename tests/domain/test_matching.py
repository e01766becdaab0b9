"""When an order trades: on arrival at the market's price, at rest at its own limit."""

from __future__ import annotations

import pytest

from tests.domain.builders import d, order
from trading.domain.matching import arrival_price, crosses, resting_price
from trading.domain.order import Side

# (side, limit, market, whether the market is at least as good as the limit)
CASES = [
    (Side.BUY, 100, 101, False),
    (Side.BUY, 100, 100, True),
    (Side.BUY, 100, 95, True),
    (Side.SELL, 100, 99, False),
    (Side.SELL, 100, 100, True),
    (Side.SELL, 100, 105, True),
]


@pytest.mark.parametrize(("side", "limit", "market", "meets"), CASES)
def test_a_limit_is_never_passed_on_the_wrong_side(
    side: Side, limit: int, market: int, meets: bool
) -> None:
    made = order(1, side, limit)
    assert crosses(made, d(market)) is meets
    assert arrival_price(made, d(market)) == (d(market) if meets else None)
    assert resting_price(made, d(market)) == (d(limit) if meets else None)


@pytest.mark.parametrize("side", Side)
def test_a_market_order_takes_any_price(side: Side) -> None:
    assert arrival_price(order(1, side), d(123)) == 123
