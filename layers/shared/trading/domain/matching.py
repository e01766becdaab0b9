"""When an order trades, how much of it, and at what price: one for mock, paper and backtest.

The market is seen as observations: a single price, or a whole bar of which only open, high, low
and close are known. Where a bar leaves open what came first, the answer is the worse one for the
order's owner. One bar is shown to the orders in four phases, as the market can have passed them:
its open; stops within its range; limits within its range, in the order of a venue's book; its
close, which trailing stops see after the bar's best price.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from typing import NamedTuple

from trading.domain.candle import Candle, Price
from trading.domain.fill_model import FillModel, FillTiming
from trading.domain.instrument import Instrument
from trading.domain.order import STOP_TYPES, Liquidity, Order, OrderType, Side, TimeInForce


class Phase(IntEnum):
    """The part of a bar that an order is shown."""

    OPEN = 0
    STOPS = 1
    LIMITS = 2
    CLOSE = 3


class Observation(NamedTuple):
    """What is known of the market from ``start`` to ``time``; the same moment for a single price.

    ``volume`` is None where it is not known, as for a single price that was posted.
    """

    symbol: str
    start: datetime
    time: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None = None

    @property
    def is_point(self) -> bool:
        """Whether it is a single price."""
        return self.start == self.time

    def at_close(self) -> Observation:
        """Only the bar's last price, for an order that came while the bar was forming."""
        return self._replace(start=self.time, open=self.close, high=self.close, low=self.close)


class Attempt(NamedTuple):
    """What an observation does to an order: it trades, changes, or both.

    ``order`` carries a trailing stop's new peak or that a stop has gone off. ``quantity`` is what
    trades at ``price`` (None: nothing does); ``at_open`` tells that it does so as a bar opens.
    """

    order: Order
    price: Decimal | None = None
    quantity: Decimal | None = None
    liquidity: Liquidity = Liquidity.TAKER
    at_open: bool = False


def price_point(price: Price) -> Observation:
    """A single price as an observation; the volume is that of the bar it came from."""
    return Observation(
        symbol=price.symbol,
        start=price.time,
        time=price.time,
        open=price.price,
        high=price.price,
        low=price.price,
        close=price.price,
        volume=price.volume,
    )


def bar(candle: Candle) -> Observation:
    """A complete candle as an observation."""
    return Observation(
        symbol=candle.symbol,
        start=candle.time,
        time=candle.close_time,
        open=candle.open,
        high=candle.high,
        low=candle.low,
        close=candle.close,
        volume=candle.volume,
    )


def shown_to(order: Order, seen: Observation) -> Observation | None:
    """The part of an observation that is news to an order; None if nothing is.

    Of a bar that began before the order came, only the close is certain to be news.
    """
    if seen.time <= order.seen_until:
        return None
    return seen if seen.start >= order.seen_until else seen.at_close()


def venue_sequence(orders: Iterable[Order], seen: Observation) -> list[tuple[Phase, str]]:
    """In which order a bar is shown to the orders of one symbol: (phase, order id).

    Within a phase the better limit comes first, then the older order, as in a venue's book. A
    single price has no range and is shown as an open only.
    """
    queue = sorted(orders, key=_priority)
    phases = (Phase.OPEN,) if seen.is_point else tuple(Phase)
    return [(phase, order.id) for phase in phases for order in queue if _takes_part(order, phase)]


def _takes_part(order: Order, phase: Phase) -> bool:
    """Whether a phase can do anything to an order of this type."""
    match phase:
        case Phase.STOPS:
            return order.type in STOP_TYPES
        case Phase.LIMITS:
            return order.type in (OrderType.LIMIT, OrderType.STOP_LIMIT)
        case Phase.CLOSE:
            return order.type is OrderType.TRAILING_STOP
        case _:
            return True


def _priority(order: Order) -> tuple[bool, Decimal, datetime, str]:
    """Stops before limits, the better limit first, then the older order."""
    better = order.limit_price or Decimal(0)
    signed = -better if order.side is Side.BUY else better
    return (order.type not in STOP_TYPES, signed, order.created_at, order.id)


def attempt(
    order: Order,
    seen: Observation,
    phase: Phase,
    model: FillModel,
    instrument: Instrument,
    room: Decimal | None,
) -> Attempt | None:
    """Show one phase of an observation to an order; None if nothing comes of it.

    ``seen`` is what ``shown_to`` left of it; ``room`` is what the bar's volume still allows to be
    traded (None: anything).
    """
    if order.limit_price is None and (order.type is OrderType.MARKET or order.triggered):
        found = _taker(order, seen.open, seen, model, instrument) if phase is Phase.OPEN else None
    elif order.type in STOP_TYPES and not order.triggered:
        found = _stop(order, seen, phase, model, instrument)
    else:
        found = _limit(order, seen, phase, model)
    if found is None or found.price is None:
        return found
    quantity = order.remaining if room is None else min(room, order.remaining)
    if not quantity:
        return found._replace(price=None) if found.order is not order else None
    return found._replace(quantity=quantity, at_open=phase is Phase.OPEN)


def _limit(order: Order, seen: Observation, phase: Phase, model: FillModel) -> Attempt | None:
    """A resting limit: it trades at its own limit, never better, as it stood in the book."""
    buys = order.side is Side.BUY
    if phase is Phase.OPEN:
        nearest = seen.open
    elif phase is Phase.LIMITS:
        nearest = seen.low if buys else seen.high
    else:
        return None
    if not crosses(order, model.quoted(nearest, order.side)):
        return None
    return Attempt(order=order, price=order.limit_price, liquidity=Liquidity.MAKER)


def _stop(
    order: Order, seen: Observation, phase: Phase, model: FillModel, instrument: Instrument
) -> Attempt | None:
    """A stop that has not gone off: whether it does, and what it trades at then."""
    if order.type is OrderType.TRAILING_STOP:
        return _trailing(order, seen, phase, model, instrument)
    trigger = order.stop_price
    if trigger is None:
        return None
    if phase is Phase.OPEN and _beyond(order, seen.open, trigger):
        return _gone_off(order, seen.open, seen, model, instrument)
    furthest = seen.high if order.side is Side.BUY else seen.low
    if phase is Phase.STOPS and _beyond(order, furthest, trigger):
        return _gone_off(order, trigger, seen, model, instrument)
    return None


def _trailing(
    order: Order, seen: Observation, phase: Phase, model: FillModel, instrument: Instrument
) -> Attempt | None:
    """A trailing stop: pessimistically the bar's worst price comes before its best one."""
    buys = order.side is Side.BUY
    if phase is Phase.LIMITS:
        return None
    if phase is Phase.OPEN:
        trigger = order.stop_trigger
        if trigger is not None and _beyond(order, seen.open, trigger):
            return _gone_off(order, seen.open, seen, model, instrument)
        moved = _with_peak(order, seen.open)
        return Attempt(order=moved) if seen.is_point and moved is not order else None
    moved = _with_peak(order, seen.open)
    if phase is Phase.CLOSE:
        moved = _with_peak(moved, seen.low if buys else seen.high)
    trigger = moved.stop_trigger
    furthest = seen.close if phase is Phase.CLOSE else (seen.high if buys else seen.low)
    if trigger is not None and _beyond(moved, furthest, trigger):
        return _gone_off(moved, trigger, seen, model, instrument)
    return Attempt(order=moved) if phase is Phase.CLOSE and moved is not order else None


def _with_peak(order: Order, price: Decimal) -> Order:
    """The trailing stop after seeing ``price``, the same object if that is no new best."""
    peak = order.trail_peak
    better = min if order.side is Side.BUY else max
    if peak is not None and better(peak, price) == peak:
        return order
    return order.model_copy(update={"trail_peak": price})


def _beyond(order: Order, price: Decimal, trigger: Decimal) -> bool:
    """Whether ``price`` is where a stop goes off: at or above for buys, at or below for sells."""
    return price >= trigger if order.side is Side.BUY else price <= trigger


def _gone_off(
    order: Order, price: Decimal, seen: Observation, model: FillModel, instrument: Instrument
) -> Attempt:
    """A stop goes off at ``price``: it trades as a taker, or works on as a limit order."""
    gone = order.model_copy(update={"triggered": True})
    found = _taker(gone, _on_tick(price, order.side, instrument), seen, model, instrument)
    return found or Attempt(order=gone)


def _on_tick(price: Decimal, side: Side, instrument: Instrument) -> Decimal:
    """A trailing stop's trigger may lie between ticks; it trades at the worse one."""
    return instrument.worse_price(price, buys=side is Side.BUY)


def _taker(
    order: Order, price: Decimal, seen: Observation, model: FillModel, instrument: Instrument
) -> Attempt | None:
    """Take the market at ``price``, within the limit if there is one."""
    if not crosses(order, model.quoted(price, order.side)):
        return None
    paid = model.taker_price(price, order.side, order.remaining, seen.volume, instrument.tick_size)
    if order.limit_price is not None:
        bound = min if order.side is Side.BUY else max
        paid = bound(paid, order.limit_price)
    return Attempt(order=order, price=paid)


def crosses(order: Order, price: Decimal) -> bool:
    """Tell whether the market at ``price`` is at least as good as the order's limit."""
    if order.limit_price is None:
        return True
    if order.side is Side.BUY:
        return price <= order.limit_price
    return price >= order.limit_price


def on_arrival(
    order: Order, mark: Price, model: FillModel, instrument: Instrument, room: Decimal | None
) -> Attempt | None:
    """What the market as it stands does to an order that has just come; None if it rests.

    A market order or a limit order that arrives through the market takes the market's price. A
    stop whose trigger lies behind the market goes off at once; a trailing one starts from here.
    Under ``next_bar`` orders that can wait meet the market at what it does next, a limit order as
    one that rests.
    """
    waits = order.time_in_force in (TimeInForce.GTC, TimeInForce.GTD)
    at_next_bar = model.timing is FillTiming.NEXT_BAR and waits
    if at_next_bar and order.type is not OrderType.TRAILING_STOP:
        return None
    seen = price_point(mark)
    if order.type is OrderType.LIMIT:
        found = _taker(order, seen.open, seen, model, instrument)
        if found is None:
            return None
        quantity = order.remaining if room is None else min(room, order.remaining)
        return found._replace(quantity=quantity) if quantity else None
    return attempt(order, seen, Phase.OPEN, model, instrument, room)
