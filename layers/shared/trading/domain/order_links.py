"""What happens to the orders that are linked to one that trades or ends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from trading.domain.order import Order, OrderStatus
from trading.domain.promises import OrderMove


def linked_moves(
    order: Order, linked: Mapping[str, Order], traded: bool, now: datetime, exits_from: datetime
) -> list[OrderMove]:
    """The changes of the linked orders once ``order`` stands as given.

    An entry that trades sets its exits to work for what it has traded; one that ends without
    having traded takes them with it. Of two linked orders, what one trades the other loses, and
    they end together. An exit that trades ends what is left of its entry. A stop among the exits
    is shown the market from ``exits_from`` on, the take-profit from ``now`` on: within one bar
    the worse of the two is taken to come first.
    """
    moves: list[OrderMove] = []
    for exit_id in (order.take_profit_id, order.stop_loss_id):
        leg = linked.get(exit_id or "")
        if leg is None:
            continue
        after = _exit_after(order, leg, traded, now, exits_from)
        if after is not leg:
            moves.append(OrderMove(order=after, was=leg))
    twin = linked.get(order.oco_id or "")
    if twin is not None:
        after = _twin_after(order, twin, traded, now)
        if after is not twin:
            moves.append(OrderMove(order=after, was=twin))
    parent = linked.get(order.parent_id or "")
    if parent is not None and traded and parent.is_open:
        ended = parent.moved(OrderStatus.CANCELLED, now, "an exit of its bracket traded")
        moves.append(OrderMove(order=ended, was=parent))
    return moves


def replaced_moves(order: Order, linked: Mapping[str, Order], now: datetime) -> list[OrderMove]:
    """The ends of the exits whose units an order takes over, once it has been let in."""
    if not (order.is_open or order.filled_quantity):
        return []
    legs = [linked[i] for i in order.replaces or () if i in linked]
    return [
        OrderMove(leg.moved(OrderStatus.CANCELLED, now, f"replaced by '{order.id}'"), leg)
        for leg in legs
        if leg.is_open
    ]


def _exit_after(
    entry: Order, leg: Order, traded: bool, now: datetime, exits_from: datetime
) -> Order:
    """A bracket's exit after its entry traded or ended."""
    if traded and leg.waits_for_entry:
        begun = leg.moved(OrderStatus.ACCEPTED, now)
        seen = exits_from if leg.id == entry.stop_loss_id else now
        return begun.model_copy(update={"quantity": entry.filled_quantity, "matched_until": seen})
    if traded and leg.is_open:
        return _changed(leg, now, quantity=entry.filled_quantity)
    if leg.waits_for_entry and not entry.is_open and not entry.filled_quantity:
        return leg.moved(OrderStatus.CANCELLED, now, f"its entry was {entry.execution_status}")
    return leg


def _twin_after(order: Order, twin: Order, traded: bool, now: datetime) -> Order:
    """The other of two linked orders."""
    if not (twin.is_open or twin.waits_for_entry):
        return twin
    if not order.is_open and not order.waits_for_entry:
        reason = f"its linked order was {order.execution_status}"
        return twin.moved(OrderStatus.CANCELLED, now, reason)
    if traded:
        rest = twin.filled_quantity + order.remaining
        return _changed(twin, now, quantity=rest, oco_id=order.id)
    if twin.oco_id != order.id:
        return _changed(twin, now, oco_id=order.id)
    return twin


def _changed(order: Order, now: datetime, **update: object) -> Order:
    """The order with other terms, as its next version."""
    return order.model_copy(update={**update, "version": order.version + 1, "updated_at": now})
