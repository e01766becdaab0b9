"""Fills resting orders whose price has come, and cancels them on demand."""

from __future__ import annotations

from datetime import datetime

from trading.domain.books import close, match
from trading.domain.errors import ConcurrentUpdate, IllegalTransition
from trading.domain.matching import resting_price
from trading.domain.order import Order, OrderStatus, Side
from trading.domain.portfolio import Portfolio, TradingState
from trading.domain.recommendation import Recommendation
from trading.ports import Desk
from trading.usecases.retry import retried


def match_orders(desk: Desk, symbol: str | None = None) -> dict[str, int]:
    """Try every resting order (of one symbol, or all) once against the latest price.

    Returns how many were filled, left waiting, and outrun by other writers (seen next time).
    """
    counts = {"filled": 0, "waiting": 0, "busy": 0}
    for order in desk.orders.open(symbol):
        try:
            filled = retried(lambda order=order: _match_once(desk, order.id))  # type: ignore[misc]
        except ConcurrentUpdate:
            counts["busy"] += 1
        else:
            counts["filled" if filled else "waiting"] += 1
    return counts


def _match_once(desk: Desk, order_id: str) -> bool:
    """Fill one resting order if the price has come and is fresh."""
    order = desk.orders.get(order_id)
    if not order.is_open:
        return False
    snapshot = desk.books.snapshot(order.portfolio_id, order.symbol, order.id)
    portfolio, mark, now = snapshot.portfolio, snapshot.mark, snapshot.now
    state = portfolio.account.trading_state
    buys_while_reducing = state is TradingState.REDUCING and order.side is Side.BUY
    if state is TradingState.HALTED or buys_while_reducing:
        return False
    if mark is None or now - mark.time > snapshot.instrument.max_price_age:
        return False
    if mark.time <= order.created_at:
        # The market as it was when the order came is what let it rest; only news can fill it.
        return False
    price = resting_price(order, mark.price)
    if price is None:
        return False
    desk.books.commit(match(order, price, portfolio, now, _cause(desk, order)))
    return True


def cancel_order(desk: Desk, order_id: str, reason: str = "cancelled on request") -> Order:
    """Cancel a resting order; one that is cancelled already is returned as it stands.

    Raises NotFound, IllegalTransition for an order that is past cancelling, ConcurrentUpdate.
    """

    def once() -> Order:
        order = desk.orders.get(order_id)
        if order.execution_status is OrderStatus.CANCELLED:
            return order
        if not order.is_open:
            raise IllegalTransition(
                f"order '{order_id}' is {order.execution_status} and cannot be cancelled"
            )
        portfolio = desk.books.portfolio(order.portfolio_id)
        return _cancel(desk, order, portfolio, desk.books.now(portfolio.account), reason)

    return retried(once)


def _cancel(desk: Desk, order: Order, portfolio: Portfolio, now: datetime, reason: str) -> Order:
    """Write one cancellation."""
    cause = _cause(desk, order)
    change = close(order, OrderStatus.CANCELLED, reason, portfolio, now, cause)
    desk.books.commit(change)
    assert change.order is not None
    return change.order


def _cause(desk: Desk, order: Order) -> Recommendation | None:
    """The recommendation behind an order, which moves along with it."""
    if order.recommendation_id is None:
        return None
    return desk.recommendations.get(order.recommendation_id)
