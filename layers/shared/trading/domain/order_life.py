"""The decisions on an order, from its arrival to its end, each as one change of the books.

An order is judged, fills, rests, is matched against the market, and ends; the functions here are
pure and serve mock, paper and backtest alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from trading.domain.books import BookChange, Holding, Snapshot
from trading.domain.errors import Conflict, InvalidInput
from trading.domain.filling import opposes, payable, settled, volume_used, worked
from trading.domain.identifiers import derived_id
from trading.domain.matching import Attempt, Observation, on_arrival, price_point
from trading.domain.money import ZERO, average, plain
from trading.domain.order import OPEN_STATUSES, Fill, Order, OrderStatus, Side, TimeInForce, Via
from trading.domain.order_links import linked_moves
from trading.domain.portfolio import Portfolio, TradingState
from trading.domain.position import Position, RecentOrder
from trading.domain.promises import OrderMove, released
from trading.domain.recommendation import Recommendation, status_by_order
from trading.domain.risk.engine import judge
from trading.domain.risk.rule import OrderContext
from trading.domain.value import Value

_S = OrderStatus


def place(
    order: Order,
    snapshot: Snapshot,
    recommendation: Recommendation | None = None,
    exits: Sequence[Order] = (),
) -> BookChange:
    """Judge a new order and return what follows: rejected, filled, resting, or ended at once.

    ``exits`` are a bracket's, made along with it. The order of a recommendation that has lapsed
    by now expires without being judged.
    """
    now, account = snapshot.now, snapshot.portfolio.account
    if order.expires_at is not None and now > order.expires_at:
        lapsed = order.moved(_S.EXPIRED, now, "its time had run out before it could trade")
        change = BookChange.trusted(before=account, order=_unlinked(lapsed))
        return _with_recommendation(change, recommendation, now)
    decision = judge(order_context(order, snapshot))
    if not decision.passed:
        rejected = _unlinked(order.moved(_S.REJECTED, now, decision.reason))
        change = BookChange.trusted(before=account, order=rejected, decision=decision)
        return _with_recommendation(change, recommendation, now)
    linked = {**snapshot.linked, **{leg.id: leg for leg in exits}}
    change = _arrive(order, snapshot, linked, {leg.id for leg in exits})
    position = _remembering(change.position, order, snapshot)
    change = change.model_copy(
        update={
            "position": position,
            "decision": decision,
            "limits_version": snapshot.limits.version,
            "counted_on": now.date(),
            "daily_cap": snapshot.limits.max_daily_trades,
        }
    )
    return _with_recommendation(change, recommendation, now)


def _arrive(
    order: Order, snapshot: Snapshot, linked: Mapping[str, Order], made: set[str]
) -> BookChange:
    """Show an accepted order the market as it stands; ``made`` are the links made along with it."""
    mark = snapshot.mark
    if mark is None:
        raise InvalidInput("symbol", f"'{order.symbol}' has no price yet")
    model = snapshot.portfolio.account.fill_model
    seen = price_point(mark)
    found = on_arrival(order, mark, model, snapshot.instrument, room_for(order, seen, snapshot))
    if order.time_in_force is TimeInForce.FOK and (
        found is None or found.quantity != order.quantity
    ):
        found = None
    change = worked(found or Attempt(order=order), None, snapshot, seen, linked, snapshot.now)
    if not made:
        return change
    new = [leg for leg_id, leg in linked.items() if leg_id in made]
    moved = {move.order.id: move.order for move in change.linked}
    kept = tuple(move for move in change.linked if move.order.id not in made)
    born = tuple(OrderMove(order=moved.get(leg.id, leg)) for leg in new)
    return change.model_copy(update={"linked": kept + born})


def order_context(
    order: Order, snapshot: Snapshot, *, already_accepted: bool = False
) -> OrderContext:
    """What the risk rules look at for this order; a linked order's promises count once."""
    portfolio = snapshot.portfolio
    twin = snapshot.linked.get(order.oco_id or "")
    replaced = (snapshot.linked.get(identifier) for identifier in order.replaces or ())
    own = [
        o for o in (twin, snapshot.existing, *replaced) if o is not None and o.side is order.side
    ]
    if own:
        portfolio = _without(portfolio, order, own, snapshot.now)
    mark = snapshot.mark
    return OrderContext(
        order=order,
        instrument=snapshot.instrument,
        portfolio=portfolio,
        limits=snapshot.limits,
        mark=mark,
        trades_today=snapshot.trades_today,
        now=snapshot.now,
        marks=snapshot.marks,
        tail=snapshot.tail,
        volatility=snapshot.volatility,
        already_accepted=already_accepted,
    )


def match(
    order: Order,
    found: Attempt,
    seen: Observation,
    snapshot: Snapshot,
    cause: Recommendation | None = None,
) -> BookChange:
    """Write down what an observation did to a resting order.

    What trades as a bar opens is dated then, all else at the bar's end.

    A stop that goes off and would add to the portfolio's risk is judged again at that moment, and
    rejected where a limit has no room for it by now.
    """
    decision = None
    sized = cash_sized(order, found, seen, snapshot)
    if sized is None:
        return close(order, _S.CANCELLED, "its worth no longer pays for a lot", snapshot, cause)
    found = sized
    if found.order.triggered and not order.triggered and not reduces(order, snapshot.portfolio):
        rest = order.model_copy(update={"quantity": order.remaining})
        decision = judge(order_context(rest, snapshot, already_accepted=True))
    if decision is not None and not decision.passed:
        change = close(order, _S.REJECTED, decision.reason or "", snapshot, cause)
    else:
        change = _with_recommendation(
            worked(
                found,
                order,
                snapshot,
                seen,
                snapshot.linked,
                seen.start if found.at_open else seen.time,
            ),
            cause,
            snapshot.now,
        )
    return change.model_copy(update={"decision": decision}) if decision else change


def cash_sized(
    order: Order, found: Attempt, seen: Observation, snapshot: Snapshot
) -> Attempt | None:
    """Size a market order by its worth, as it first trades; None if that pays for no lot.

    floor(worth / (price * (1 + rate))) in whole lots, ``worth`` being the order's ``notional``, for
    a purchase without margin at most the cash that is free or was promised to it. What makes it
    larger is judged anew, and where a limit has no room for that it stays as it was.
    """
    if order.notional is None or order.fills or found.price is None:
        return found
    account = snapshot.portfolio.account
    worth = order.notional
    if order.side is Side.BUY and not account.margin:
        worth = min(worth, account.available(order.currency) + order.reserved_cash)
    rate = account.commission(found.liquidity)
    quantity = payable(worth, found.price, rate, snapshot.instrument)
    if quantity <= ZERO:
        return None
    if quantity == order.quantity:
        return found
    if quantity > order.quantity:
        grown = order.model_copy(update={"quantity": quantity})
        if not _may_grow(grown, found.price, snapshot):
            return found
    room = room_for(order, seen, snapshot)
    return found._replace(
        order=found.order.model_copy(update={"quantity": quantity}),
        quantity=quantity if room is None else min(room, quantity),
    )


def _may_grow(grown: Order, price: Decimal, snapshot: Snapshot) -> bool:
    """Whether every limit has room for an order at the price that it trades at.

    Whether the cash pays for it is not asked: its size was found from that.
    """
    portfolio, mark = snapshot.portfolio, snapshot.mark
    if mark is not None:
        prices = {**portfolio.prices, grown.symbol: mark.model_copy(update={"price": price})}
        portfolio = portfolio.model_copy(update={"prices": prices})
        snapshot = snapshot.model_copy(update={"portfolio": portfolio})
    decision = judge(order_context(grown, snapshot, already_accepted=True))
    return all(failure.rule == "cash_available" for failure in decision.failures)


def close(
    order: Order,
    status: OrderStatus,
    reason: str,
    holding: Holding,
    cause: Recommendation | None = None,
) -> BookChange:
    """End an open order (cancelled, expired, rejected) and give back what it was promised.

    Its linked orders end with it. Raises IllegalTransition for an order whose state does not
    allow it.
    """
    now = holding.now
    ended = order.moved(status, now, reason)
    moves = [
        OrderMove(order=ended, was=order),
        *linked_moves(ended, holding.linked, False, now, now),
    ]
    change = settled(moves, holding.portfolio, ZERO, now)
    return _with_recommendation(change, cause, now)


def may_work(order: Order, seen: Observation, holding: Holding) -> bool:
    """Whether the trading state lets a resting order trade on what was seen."""
    account = holding.portfolio.account
    since = account.trading_state_since
    if since is not None and seen.time <= since:
        return False
    if account.trading_state is TradingState.REDUCING:
        return reduces(order, holding.portfolio)
    return account.trading_state is TradingState.ACTIVE


def trusted(seen: Observation, snapshot: Snapshot) -> bool:
    """Whether a single price is good enough to trade on: fresh, and within the price collar.

    A complete bar is history, which is what happened however long ago that was.
    """
    mark, collar = snapshot.mark, snapshot.limits.price_collar_percent
    if not seen.is_point:
        return True
    if snapshot.now - seen.time > snapshot.instrument.max_price_age:
        return False
    if collar is None or mark is None or mark.previous is None or mark.time != seen.time:
        return True
    return abs(mark.price - mark.previous) * 100 <= collar * mark.previous


def reduces(order: Order, portfolio: Portfolio) -> bool:
    """Whether what remains of an order can only make the holding smaller."""
    held = portfolio.position(order.symbol, order.currency).quantity
    if order.reduce_only:
        return True
    return opposes(order, held) and order.remaining <= abs(held)


def room_for(order: Order, seen: Observation, snapshot: Snapshot) -> Decimal | None:
    """What the volume of the bar still allows the portfolio to trade; None for anything."""
    held = snapshot.portfolio.position(order.symbol, order.currency)
    model = snapshot.portfolio.account.fill_model
    return model.room(seen.volume, volume_used(held, seen), snapshot.instrument.lot_size)


def _remembering(position: Position | None, order: Order, snapshot: Snapshot) -> Position | None:
    """Remember an accepted order for as long as a twin of it is to be refused."""
    window = snapshot.limits.duplicate_window_seconds
    if not window:
        return position
    now = snapshot.now
    held = position or snapshot.portfolio.position(order.symbol, order.currency)
    recent = [r for r in held.recent_orders or () if (now - r.time).total_seconds() <= window]
    recent.append(RecentOrder.trusted(fingerprint=order.request_hash, time=now))
    return held.model_copy(update={"recent_orders": tuple(recent)})


def _without(portfolio: Portfolio, order: Order, own: Sequence[Order], now: datetime) -> Portfolio:
    """The portfolio as it stands without what these orders have been promised."""
    held = portfolio.position(order.symbol, order.currency)
    account, position = released(portfolio.account, held, own, now)
    positions = {**portfolio.positions, order.symbol: position}
    return portfolio.model_copy(update={"account": account, "positions": positions})


def _unlinked(order: Order) -> Order:
    """An order that never worked: it has no links and no exits."""
    links = dict.fromkeys(("take_profit_id", "stop_loss_id", "oco_id"))
    return order.model_copy(update=links)


def _with_recommendation(
    change: BookChange, recommendation: Recommendation | None, now: datetime
) -> BookChange:
    """Move the recommendation behind the order along with it; behind an exit it is its entry's."""
    order = change.order
    if order is not None and order.parent_id is not None:
        entry = order.parent_id
        order = next((m.order for m in change.linked if m.order.id == entry), None)
    if recommendation is None or order is None:
        return change
    status = status_by_order(order.execution_status, order.filled_quantity)
    if status is recommendation.execution_status:
        return change
    moved = recommendation.moved(status, now, order.reason, order.id)
    return change.model_copy(update={"recommendation": moved, "recommendation_was": recommendation})


class VenueReport(Value):
    """What a venue says of an order: its state, and all that it has filled so far.

    ``filled_notional`` is the sum of price times quantity, ``fees`` the commission paid, in the
    quote currency.
    """

    execution_status: OrderStatus
    filled_quantity: Decimal = ZERO
    filled_notional: Decimal = ZERO
    fees: Decimal = ZERO


def settle(
    order: Order, told: VenueReport, holding: Holding, cause: Recommendation | None = None
) -> BookChange | None:
    """Bring an order to where the venue says it is; None if it is there already.

    What the venue filled and the books do not know yet is posted as one fill at its mean price,
    also after the order's end. Raises Conflict where the venue reports less than the books hold,
    IllegalTransition where its state cannot follow on the order's.
    """
    missing = told.filled_quantity - order.filled_quantity
    filled_whole = told.filled_quantity == order.quantity
    if (
        missing < 0
        or missing > order.remaining
        or (told.execution_status is _S.FILLED and not filled_whole)
    ):
        raise Conflict(
            f"order '{order.id}' has {plain(order.filled_quantity)} filled of"
            f" {plain(order.quantity)}; the venue reports {plain(told.filled_quantity)}"
            f" and '{told.execution_status}'"
        )
    if not missing and (not order.is_open or told.execution_status is order.execution_status):
        return None
    now, after = holding.now, order
    if order.execution_status is _S.UNKNOWN:
        after = order.moved(_S.SUBMITTED, now, via=Via.RECONCILIATION)
    fill = _reported_fill(after, told, missing, now) if missing else None
    if fill is not None:
        after = after.filled(fill)
    if after.is_open and told.execution_status not in OPEN_STATUSES:
        after = after.moved(told.execution_status, now, "as the venue reports")
    moves = [
        OrderMove(order=after, was=order),
        *linked_moves(after, holding.linked, fill is not None, now, now),
    ]
    change = settled(moves, holding.portfolio, told.filled_notional, now, fill)
    return _with_recommendation(change, cause, now)


def _reported_fill(order: Order, told: VenueReport, missing: Decimal, now: datetime) -> Fill:
    """The part of a venue's report that the books do not know yet."""
    return Fill.trusted(
        id=derived_id("fill", order.id, str(order.fills + 1)),
        order_id=order.id,
        portfolio_id=order.portfolio_id,
        symbol=order.symbol,
        side=order.side,
        quantity=missing,
        price=average(told.filled_notional - order.filled_notional, missing),
        fee=told.fees - order.fees,
        currency=order.currency,
        time=now,
        correlation_id=order.correlation_id,
    )
