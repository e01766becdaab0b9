"""Shows the market to resting orders, and ends them on demand or when their time is over.

Runs on every price that comes in and, as a safety net, on a schedule. Every order notes how far
the market was shown to it, and every change is guarded by the versions it was made from, so that
runs may repeat, overlap and die at any point.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from trading.domain.books import BookChange
from trading.domain.candle import Price
from trading.domain.instrument import Instrument
from trading.domain.matching import (
    Observation,
    Phase,
    attempt,
    bar,
    price_point,
    shown_to,
    venue_sequence,
)
from trading.domain.order import Order, OrderStatus
from trading.domain.order_life import close, match, may_work, room_for, trusted
from trading.domain.portfolio import Account
from trading.domain.time import timeframe_length
from trading.ports import Desk
from trading.usecases.end_order import behind
from trading.usecases.retry import BUSY, retried

MAX_BARS = 1000
"""How many bars one run shows at most; the next run goes on from there."""

EXPIRED = "its time in force ran out"


def match_orders(desk: Desk, symbol: str | None = None) -> dict[str, int]:
    """Show every resting order (of one symbol, or all) what the market did since it last saw it.

    Returns how many orders were filled (in part or whole), expired or rejected, were left waiting,
    and were outrun by other writers (seen next time).
    """
    counts: Counter[str] = Counter(filled=0, expired=0, rejected=0, waiting=0, busy=0)
    resting = desk.orders.open(symbol)
    for name, group in groupby(sorted(resting, key=lambda o: o.symbol), key=lambda o: o.symbol):
        counts.update(_match_symbol(desk, name, list(group)))
    return dict(counts)


def _match_symbol(desk: Desk, symbol: str, resting: Sequence[Order]) -> Counter[str]:
    """Show one symbol's market to its resting orders, observation by observation."""
    outcomes: dict[str, str] = {order.id: "waiting" for order in resting}
    price = next(iter(desk.market.latest_prices([symbol])), None)
    until = desk.market.matched_until(symbol)
    seen = _observations(desk, price, resting, until) if price else []
    instrument = desk.market.get_instrument(symbol)
    if instrument is not None:
        for portfolio_id, own in groupby(sorted(resting, key=_owner), key=_owner):
            floor = _Floor(desk, desk.books.account(portfolio_id), instrument, outcomes)
            floor.show_all(list(own), seen)
    # An order that was outrun is yet to see what the others saw.
    all_shown = "busy" not in outcomes.values()
    if seen and all_shown and (until is None or seen[-1].time > until):
        desk.market.note_matched(symbol, seen[-1].time)
    return Counter(outcomes.values())


def _owner(order: Order) -> str:
    return order.portfolio_id


def _observations(
    desk: Desk, price: Price, resting: Sequence[Order], until: datetime | None
) -> list[Observation]:
    """What the market did that one of the orders has not seen: complete bars, then the price.

    The last bar shown is shown once more, since the list of resting orders may lag behind.
    """
    start = min(order.seen_until for order in resting)
    found: list[Observation] = []
    if price.timeframe is not None:
        length = timeframe_length(price.timeframe)
        start = max(start, until - 2 * length) if until else start
        candles = desk.market.candles(
            price.symbol, price.timeframe, start - length, price.time, MAX_BARS
        )
        found = [bar(candle) for candle in candles if candle.close_time <= price.time]
        if len(candles) == MAX_BARS:
            # There may be more bars before the price: it is not their turn yet.
            return [seen for seen in found if seen.time > start]
    if not found or found[-1].time < price.time:
        found.append(price_point(price))
    return [seen for seen in found if seen.time > start]


class _Floor:
    """One portfolio's resting orders of one symbol while the market is shown to them."""

    def __init__(
        self, desk: Desk, account: Account, instrument: Instrument, outcomes: dict[str, str]
    ) -> None:
        self._desk = desk
        self._account = account
        self._instrument = instrument
        self._outcomes = outcomes
        self._working: dict[str, Order] = {}

    def show_all(self, orders: Sequence[Order], seen: Sequence[Observation]) -> None:
        """Show the orders what was seen, in the order in which it happened."""
        self._working = {order.id: order for order in orders}
        for observation in seen:
            shown: set[str] = set()
            while news := [o for o in self._working.values() if o.is_open and o.id not in shown]:
                # Orders that an entry has just set to work are shown the same bar in turn.
                shown.update(order.id for order in news)
                self._show(news, observation)
        now = self._desk.books.now(self._account)
        for order in list(self._working.values()):
            if order.is_open and _over(order, now):
                self._try(order, None, Phase.OPEN)

    def _show(self, orders: Sequence[Order], seen: Observation) -> None:
        """Show one observation, phase by phase; the books are read only where it matters."""
        model = self._account.fill_model
        for phase, order_id in venue_sequence(orders, seen):
            order = self._working[order_id]
            part = shown_to(order, seen) if order.is_open else None
            if part is None:
                continue
            if _over(order, part.start if phase is Phase.OPEN else part.time):
                self._try(order, None, phase)
            elif attempt(order, part, phase, model, self._instrument, None) is not None:
                self._try(order, seen, phase)

    def _try(self, order: Order, seen: Observation | None, phase: Phase) -> None:
        """Decide on the books as they stand, write, and remember how the orders stand then."""
        try:
            change = retried(lambda: _act(self._desk, order, seen, phase))
        except BUSY:
            self._outcomes[order.id] = "busy"
            return
        if change is None or change.order is None:
            return
        for changed in (change.order, *(move.order for move in change.linked)):
            self._working[changed.id] = changed
        if change.fill is not None:
            self._outcomes[order.id] = "filled"
        elif not change.order.is_open:
            self._outcomes[order.id] = change.order.execution_status.value


def _act(desk: Desk, order: Order, seen: Observation | None, phase: Phase) -> BookChange | None:
    """Read, decide and write once; None where the books leave the order as it is.

    ``seen`` is None for an order whose time is over. The recommendation is read first: were it
    newer than the books, what somebody else did meanwhile would look like a forbidden move.
    """
    cause = behind(desk, order)
    snapshot = desk.books.snapshot(order.portfolio_id, order.symbol, order.id)
    current = snapshot.existing
    if current is None or not current.is_open:
        return None
    if seen is None:
        change = close(current, OrderStatus.EXPIRED, EXPIRED, snapshot, cause)
        desk.books.commit(change)
        return change
    part = shown_to(current, seen)
    if part is None or not trusted(part, snapshot) or not may_work(current, part, snapshot):
        return None
    model = snapshot.portfolio.account.fill_model
    room = room_for(current, part, snapshot)
    found = attempt(current, part, phase, model, snapshot.instrument, room)
    if found is None:
        return None
    change = match(current, found, part, snapshot, cause)
    desk.books.commit(change)
    return change


def _over(order: Order, now: datetime) -> bool:
    """Whether an order's time had run out by a moment."""
    return order.expires_at is not None and now > order.expires_at
