"""When an order trades, and at what price. The same for mock, paper and backtest."""

from __future__ import annotations

from decimal import Decimal

from trading.domain.order import Order, OrderType, Side


def crosses(order: Order, price: Decimal) -> bool:
    """Tell whether the market at ``price`` is at least as good as the order's limit."""
    if order.type is OrderType.MARKET or order.limit_price is None:
        return True
    if order.side is Side.BUY:
        return price <= order.limit_price
    return price >= order.limit_price


def arrival_price(order: Order, price: Decimal) -> Decimal | None:
    """The price of an order that meets the market at ``price`` on arrival; None if it rests.

    A limit order that arrives through the market takes the market's better price.
    """
    return price if crosses(order, price) else None


def resting_price(order: Order, price: Decimal) -> Decimal | None:
    """The price of a resting limit order once the market has come to ``price``; None if not yet.

    The market came to the order, so it trades at its own limit, never better: pessimistic, and
    what a venue's book does.
    """
    return order.limit_price if crosses(order, price) else None
