"""What a fill does to the books: how much the books allow, the entries, the links, the promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from trading.domain.attribution import attributed
from trading.domain.books import BookChange, Posting, Snapshot, post
from trading.domain.identifiers import derived_id
from trading.domain.instrument import Instrument
from trading.domain.ledger import TransactionKind, apply_to_position, fill_entries
from trading.domain.matching import Attempt, Observation
from trading.domain.money import ONE, ZERO, fee_amount, with_commission
from trading.domain.order import Fill, Order, OrderStatus, Side, TimeInForce
from trading.domain.order_links import linked_moves, replaced_moves
from trading.domain.portfolio import Account, Portfolio
from trading.domain.position import Position
from trading.domain.promises import OrderMove, after_promises, with_promises

_S = OrderStatus
MAX_EXITS = 20
"""How many exits a holding remembers: those of the newest entries."""


def worked(
    found: Attempt,
    was: Order | None,
    snapshot: Snapshot,
    seen: Observation,
    linked: Mapping[str, Order],
    moment: datetime,
) -> BookChange:
    """The change after an attempt: the fill if there is one, the order's state, its links."""
    order, now, portfolio = found.order, snapshot.now, snapshot.portfolio
    wanted = found.quantity or ZERO
    quantity, why = _tradable(found, wanted, was, snapshot, linked)
    if order.time_in_force is TimeInForce.FOK and quantity < order.quantity:
        quantity = ZERO
    fill = None
    if quantity and found.price is not None:
        fill = _fill_of(order, quantity, found.price, found, portfolio.account, moment)
    if fill is not None:
        order = order.filled(fill)
    order = _rested(order, quantity < wanted, why, now)
    trails_on = (
        was is not None and fill is None and order.is_open and (order.triggered == was.triggered)
    )
    if was is not None:
        update: dict[str, object] = {"matched_until": seen.time}
        if order.version == was.version:
            update |= {"version": order.version + 1, "updated_at": now}
        order = order.model_copy(update=update)
    exits_from = seen.start if was is not None else now
    moves = [
        OrderMove(order=order, was=was),
        *linked_moves(order, linked, fill is not None, moment, exits_from),
    ]
    if was is None:
        moves += replaced_moves(order, linked, now)
    if trails_on:
        # Only a trailing stop's best price has moved: nothing that it was promised has.
        return BookChange.trusted(before=portfolio.account, order=order, order_was=was)
    return settled(moves, portfolio, found.price or seen.close, now, fill, seen)


def _rested(order: Order, short: bool, why: str, now: datetime) -> Order:
    """The order's state after an attempt, by its time in force and by what it lacks."""
    if order.execution_status is _S.FILLED:
        return order
    if short:
        return order.moved(_S.CANCELLED, now, why)
    if order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
        return order.moved(_S.CANCELLED, now, f"{order.time_in_force}: not all could trade at once")
    return order.moved(_S.ACCEPTED, now) if order.execution_status is _S.NEW else order


def _tradable(
    found: Attempt,
    wanted: Decimal,
    was: Order | None,
    snapshot: Snapshot,
    linked: Mapping[str, Order],
) -> tuple[Decimal, str]:
    """How much of what the market gives the books allow, and why not more.

    The rules have let the order pass, but prices and holdings may have moved while it waited:
    reduce-only orders never turn a holding around, and without margin nothing is sold that is
    not held and nothing bought that the cash does not pay.
    """
    order, portfolio = found.order, snapshot.portfolio
    held = portfolio.position(order.symbol, order.currency).quantity
    if order.reduce_only:
        most = abs(held) if opposes(order, held) else ZERO
        return min(wanted, most), "nothing is left to reduce"
    if portfolio.account.margin:
        return wanted, ""
    if order.side is Side.SELL:
        return min(wanted, max(held, ZERO)), "the units are no longer held"
    free = portfolio.account.available(order.currency)
    for own in (was, linked.get(order.oco_id or "")):
        if own is not None and own.side is order.side:
            free += own.reserved_cash
    return _affordable(wanted, found, free, snapshot), "the cash no longer pays for it"


def _affordable(wanted: Decimal, found: Attempt, free: Decimal, snapshot: Snapshot) -> Decimal:
    """The part of a purchase that free cash pays for, in whole lots."""
    price = found.price
    rate = snapshot.portfolio.account.commission(found.liquidity)
    if price is None or with_commission(wanted * price, rate) <= free:
        return wanted
    return payable(free, price, rate, snapshot.instrument)


def payable(cash: Decimal, price: Decimal, rate: Decimal, instrument: Instrument) -> Decimal:
    """The whole lots that ``cash`` pays for at ``price`` with a commission of ``rate``."""
    most = instrument.round_quantity(max(cash, ZERO) / (price * (ONE + rate)))
    while most and with_commission(most * price, rate) > cash:
        most -= instrument.lot_size
    return most


def _fill_of(
    order: Order,
    quantity: Decimal,
    price: Decimal,
    found: Attempt,
    account: Account,
    moment: datetime,
) -> Fill:
    """The execution of ``quantity`` at the attempt's price, with its commission."""
    rate = account.commission(found.liquidity)
    return Fill.trusted(
        id=derived_id("fill", order.id, str(order.fills + 1)),
        order_id=order.id,
        portfolio_id=order.portfolio_id,
        symbol=order.symbol,
        side=order.side,
        quantity=quantity,
        price=price,
        fee=fee_amount(price * quantity * rate),
        currency=order.currency,
        liquidity=found.liquidity,
        time=moment,
        correlation_id=order.correlation_id,
    )


def settled(
    moves: Sequence[OrderMove],
    portfolio: Portfolio,
    reference: Decimal,
    now: datetime,
    fill: Fill | None = None,
    seen: Observation | None = None,
) -> BookChange:
    """Put together what the orders' changes and the fill do to account, position and ledger."""
    before = portfolio.account
    promised = with_promises([m.order for m in moves], reference, before)
    moves = [OrderMove(o, m.was) for o, m in zip(promised, moves, strict=True)]
    main = moves[0]
    held = portfolio.position(main.order.symbol, main.order.currency)
    account, position = after_promises(before, held, moves, now)
    transaction = None
    if fill is not None:
        account, transaction = post(account, _posting(fill, now))
        position = apply_to_position(position, transaction)
        limited = before.fill_model.participation_rate is not None
        position = attributed(held, position, main.order.attribution)
        position = _noted(position, main.order, fill, seen, limited)
        position = _with_exits(position, held, main.order)
    return BookChange.trusted(
        before=before,
        account=account,
        position=position if position is not held else None,
        order=main.order,
        order_was=main.was,
        linked=tuple(moves[1:]),
        fill=fill,
        transaction=transaction,
    )


def _posting(fill: Fill, now: datetime) -> Posting:
    """The ledger transaction of a fill."""
    return Posting(
        kind=TransactionKind.FILL,
        cause=f"fill:{fill.id}",
        entries=fill_entries(fill),
        currency=fill.currency,
        symbol=fill.symbol,
        time=fill.time,
        recorded_at=now,
        correlation_id=fill.correlation_id,
    )


def _noted(
    position: Position, order: Order, fill: Fill, seen: Observation | None, limited: bool
) -> Position:
    """What later decisions need to know of a fill: the volume it took, and that a stop sold."""
    update: dict[str, object] = {}
    if seen is not None and seen.volume is not None and limited:
        update = {"bar_time": seen.time, "bar_used": volume_used(position, seen) + fill.quantity}
    if order.protective:
        update["stopped_at"] = fill.time
    return position.model_copy(update=update) if update else position


def _with_exits(position: Position, held: Position, order: Order) -> Position:
    """What the holding is left by: the exits of its entries; none for one that has just ended."""
    ids = [i for i in (order.take_profit_id, order.stop_loss_id) if i is not None]
    turned = held.quantity * position.quantity <= ZERO
    kept = () if turned else position.exits or ()
    exits = (*kept, *(i for i in ids if i not in kept))[-MAX_EXITS:] or None
    if not position.quantity:
        exits = None
    return position if exits == position.exits else position.model_copy(update={"exits": exits})


def volume_used(position: Position, seen: Observation) -> Decimal:
    """What the portfolio has traded already of a bar's volume."""
    return (position.bar_used or ZERO) if position.bar_time == seen.time else ZERO


def opposes(order: Order, held: Decimal) -> bool:
    """Whether an order is on the other side of a holding."""
    return held > ZERO if order.side is Side.SELL else held < ZERO
