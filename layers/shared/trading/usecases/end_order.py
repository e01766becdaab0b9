"""Ends orders on demand, and settles those whose fate only the venue knows."""

from __future__ import annotations

from trading.domain.errors import IllegalTransition, Unavailable
from trading.domain.order import Order, OrderStatus
from trading.domain.order_life import VenueReport, close, settle
from trading.domain.recommendation import Recommendation
from trading.ports import Desk
from trading.usecases.retry import retried


def cancel_order(
    desk: Desk, order_id: str, reason: str = "cancelled on request", *, at_any_cost: bool = False
) -> Order:
    """Cancel an order that rests, and those linked to it; one already cancelled stays as it is.

    ``at_any_cost`` cancels it even while the recommendation behind it cannot be read; that one
    then learns of it later. Raises NotFound, IllegalTransition for an order that is past
    cancelling, ConcurrentUpdate.
    """

    def once() -> Order:
        order = desk.orders.get(order_id)
        if order.execution_status is OrderStatus.CANCELLED:
            return order
        holding = desk.books.holding(order.portfolio_id, order.symbol, order_id)
        order = holding.existing or order
        if not (order.is_open or order.waits_for_entry):
            raise IllegalTransition(
                f"order '{order_id}' is {order.execution_status} and cannot be cancelled"
            )
        try:
            cause = behind(desk, order)
        except Unavailable:
            if not at_any_cost:
                raise
            cause = None
        change = close(order, OrderStatus.CANCELLED, reason, holding, cause)
        desk.books.commit(change)
        assert change.order is not None
        return change.order

    return retried(once)


def settle_order(desk: Desk, order_id: str, told: VenueReport) -> Order:
    """Write down what the venue says of an order, a fill after its end included.

    This alone leads an order out of ``unknown``. What the books know already changes nothing.
    Raises NotFound, Conflict where the venue knows less than the books, ConcurrentUpdate.
    """

    def once() -> Order:
        order = desk.orders.get(order_id)
        holding = desk.books.holding(order.portfolio_id, order.symbol, order_id)
        order = holding.existing or order
        change = settle(order, told, holding, behind(desk, order))
        if change is None:
            return order
        desk.books.commit(change)
        assert change.order is not None
        return change.order

    return retried(once)


def behind(desk: Desk, order: Order) -> Recommendation | None:
    """The recommendation behind an order, which moves along with it.

    That of a bracket's exit is its entry's, as what is left of the entry ends when an exit trades.
    """
    identifier = order.recommendation_id
    if order.parent_id is not None:
        identifier = desk.orders.get(order.parent_id).recommendation_id
    return None if identifier is None else desk.recommendations.get(identifier)
