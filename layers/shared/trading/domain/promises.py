"""What open orders have been promised of a portfolio's cash and holdings.

Each order stores its own part, so that the account's and the position's totals always move by the
difference of two stored figures. Of two linked orders only one can trade: together they are
promised no more than the larger of the two needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from trading.domain.money import ZERO, with_commission
from trading.domain.order import Order, Side
from trading.domain.portfolio import Account
from trading.domain.position import Position

_FIELDS = ("reserved_cash", "reserved_quantity", "reserved_notional")


class OrderMove(NamedTuple):
    """One order's change: as it was read (None: newly made), and as it is to be."""

    order: Order
    was: Order | None = None


def with_promises(orders: Sequence[Order], reference: Decimal, account: Account) -> list[Order]:
    """Set what each of these orders is promised; ``reference`` prices those without a price.

    Orders that are linked to each other must be given together.
    """
    needs = {order.id: _need(order, reference, account) for order in orders}
    sides = {order.id: order.side for order in orders}
    promised = []
    for order in orders:
        need, twin = needs[order.id], order.oco_id
        if twin in needs and twin < order.id and sides[twin] is order.side:
            need = [max(ZERO, own - its) for own, its in zip(need, needs[twin], strict=True)]
        promised.append(_promising(order, need))
    return promised


def _promising(order: Order, need: list[Decimal]) -> Order:
    """The order with what it is promised; the same object if it was promised that already."""
    if [order.reserved_cash, order.reserved_quantity, order.reserved_notional] == need:
        return order
    return order.model_copy(update=dict(zip(_FIELDS, need, strict=True)))


def _need(order: Order, reference: Decimal, account: Account) -> list[Decimal]:
    """Cash, units and notional that an order may still take."""
    if not order.is_open:
        return [ZERO, ZERO, ZERO]
    if order.side is Side.SELL:
        return [ZERO, order.remaining, ZERO]
    price = order.limit_price or order.stop_trigger or reference
    notional = order.remaining * price
    return [with_commission(notional, account.highest_commission), ZERO, notional]


def after_promises(
    account: Account, position: Position, moves: Sequence[OrderMove], now: datetime
) -> tuple[Account, Position]:
    """Move the totals along with the orders' parts, and count the open ones."""
    cash = units = notional = ZERO
    opened = 0
    for order, was in moves:
        cash += order.reserved_cash
        units += order.reserved_quantity
        notional += order.reserved_notional
        opened += order.is_open
        if was is not None:
            cash -= was.reserved_cash
            units -= was.reserved_quantity
            notional -= was.reserved_notional
            opened -= was.is_open
    if cash or opened:
        reserved = dict(account.reserved)
        reserved[position.currency] = reserved.get(position.currency, ZERO) + cash
        account = account.model_copy(
            update={
                "reserved": {c: a for c, a in reserved.items() if a},
                "open_orders": account.open_orders + opened,
                "updated_at": now,
            }
        )
    if units or notional:
        position = position.model_copy(
            update={
                "reserved_quantity": position.reserved_quantity + units,
                "reserved_notional": position.reserved_notional + notional,
            }
        )
    return account, position


def released(
    account: Account, position: Position, orders: Sequence[Order], now: datetime
) -> tuple[Account, Position]:
    """The totals as they would be without these orders, for judging one of them anew."""
    blank = dict.fromkeys(_FIELDS, ZERO)
    moves = [OrderMove(order=order.model_copy(update=blank), was=order) for order in orders]
    return after_promises(account, position, moves, now)
