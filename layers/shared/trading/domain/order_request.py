"""What a caller asks to be traded, checked against the instrument and made into orders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from trading.domain.attribution import shares_of
from trading.domain.books import Snapshot
from trading.domain.errors import InvalidInput, MissingRate
from trading.domain.identifiers import derived_id
from trading.domain.money import MAX_NOTIONAL, ZERO, plain
from trading.domain.order import (
    LIMITED_TYPES,
    STOP_TYPES,
    Order,
    OrderType,
    Side,
    TimeInForce,
)
from trading.domain.recommendation import Recommendation
from trading.domain.time import to_text


@dataclass(frozen=True)
class StopLoss:
    """A bracket's protective exit: at ``stop_price`` or trailing, a stop-limit with a limit."""

    stop_price: Decimal | None = None
    trail_percent: Decimal | None = None
    limit_price: Decimal | None = None

    @property
    def type(self) -> OrderType:
        """The order type that these terms make."""
        if self.trail_percent is not None:
            return OrderType.TRAILING_STOP
        return OrderType.STOP if self.limit_price is None else OrderType.STOP_LIMIT


@dataclass(frozen=True)
class OrderRequest:
    """What is to be traded, and what caused it: ``request:<key id>:<Idempotency-Key>`` or so.

    ``take_profit`` (a limit price) and ``stop_loss`` make it a bracket's entry; ``oco_order_id``
    links it to an order that is open already. ``notional`` sizes a market order as it trades, and
    ``replaces`` are exits whose units it takes over (see ``Order``).
    """

    portfolio_id: str
    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal
    limit_price: Decimal | None
    cause: str
    correlation_id: str
    stop_price: Decimal | None = None
    trail_percent: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    expires_at: datetime | None = None
    reduce_only: bool = False
    protective: bool = False
    oco_order_id: str | None = None
    take_profit: Decimal | None = None
    stop_loss: StopLoss | None = None
    notional: Decimal | None = None
    replaces: tuple[str, ...] | None = None

    @property
    def order_id(self) -> str:
        """The id of the one order that this cause can make."""
        return order_id(self.portfolio_id, self.cause)

    @property
    def touches(self) -> tuple[str, ...]:
        """The ids of the orders that it would change."""
        linked = (self.oco_order_id,) if self.oco_order_id is not None else ()
        return (*linked, *(self.replaces or ()))

    @property
    def fingerprint(self) -> str:
        """Tells two requests of the same cause apart."""
        limit = _text(self.limit_price)
        parts = [self.symbol, self.side.value, self.type.value, plain(self.quantity), limit]
        stop = self.stop_loss or StopLoss()
        more = {
            "stop": _text(self.stop_price),
            "trail": _text(self.trail_percent),
            "tif": "" if self.time_in_force is TimeInForce.GTC else self.time_in_force.value,
            "until": to_text(self.expires_at) if self.expires_at else "",
            "reduce": "1" if self.reduce_only else "",
            "oco": self.oco_order_id or "",
            "worth": _text(self.notional),
            "replaces": ",".join(self.replaces or ()),
            "take": _text(self.take_profit),
            "loss": ":".join(
                map(_text, (stop.stop_price, stop.trail_percent, stop.limit_price))
            ).strip(":"),
        }
        return derived_id("req", *parts, *(f"{k}={v}" for k, v in more.items() if v))


def order_id(portfolio_id: str, cause: str) -> str:
    """The id of the one order that a cause can make."""
    return derived_id("ord", portfolio_id, cause)


def _text(value: Decimal | None) -> str:
    return "" if value is None else plain(value)


def new_order(
    request: OrderRequest, snapshot: Snapshot, recommendation: Recommendation | None = None
) -> Order:
    """Make the order of a request.

    Raises InvalidInput naming the field for terms that do not fit the type, a price off the tick,
    a time that has passed, a link that cannot be made, an order worth too much to book, or one in
    a currency that has no rate.
    """
    _check_terms(request)
    _check_currency(snapshot)
    _check_prices(request, snapshot)
    _check_time(request, snapshot.now, recommendation)
    _check_link(request, snapshot)
    bracket = request.take_profit is not None, request.stop_loss is not None
    return Order(
        id=request.order_id,
        portfolio_id=request.portfolio_id,
        symbol=request.symbol,
        side=request.side,
        type=request.type,
        quantity=request.quantity,
        limit_price=request.limit_price,
        stop_price=request.stop_price,
        trail_percent=request.trail_percent,
        time_in_force=request.time_in_force,
        expires_at=request.expires_at,
        reduce_only=request.reduce_only or None,
        protective=request.protective or None,
        oco_id=request.oco_order_id,
        notional=request.notional,
        replaces=request.replaces,
        take_profit_id=_exit_id(request, "take_profit") if bracket[0] else None,
        stop_loss_id=_exit_id(request, "stop_loss") if bracket[1] else None,
        currency=snapshot.instrument.quote_currency,
        cause=request.cause,
        recommendation_id=recommendation.id if recommendation else None,
        attribution=shares_of(recommendation) if recommendation else None,
        request_hash=request.fingerprint,
        created_at=snapshot.now,
        updated_at=snapshot.now,
        correlation_id=request.correlation_id,
    )


def _exit_id(request: OrderRequest, role: str) -> str:
    return derived_id("ord", request.portfolio_id, request.cause, role)


def new_exits(request: OrderRequest, entry: Order, snapshot: Snapshot) -> list[Order]:
    """The exits of a bracket, waiting for their entry.

    Raises InvalidInput for an exit on the wrong side of the entry's price or off the tick.
    """
    take, loss = request.take_profit, request.stop_loss
    reference = _reference(request, snapshot)
    exits = []
    if take is not None:
        snapshot.instrument.check_price(take, "take_profit.limit_price")
        _check_side(take, reference, request.side, "take_profit.limit_price", beyond=True)
        limit = {"type": OrderType.LIMIT, "limit_price": take}
        exits.append(_exit(entry, entry.take_profit_id, entry.stop_loss_id, limit, "take_profit"))
    if loss is not None:
        for name in ("stop_price", "limit_price"):
            price = getattr(loss, name)
            if price is not None:
                snapshot.instrument.check_price(price, f"stop_loss.{name}")
        if loss.stop_price is not None:
            _check_side(
                loss.stop_price, reference, request.side, "stop_loss.stop_price", beyond=False
            )
        terms = {
            "type": loss.type,
            "stop_price": loss.stop_price,
            "trail_percent": loss.trail_percent,
            "limit_price": loss.limit_price,
            "protective": True,
        }
        exits.append(_exit(entry, entry.stop_loss_id, entry.take_profit_id, terms, "stop_loss"))
    return exits


def _exit(
    entry: Order, own: str | None, other: str | None, terms: Mapping[str, object], role: str
) -> Order:
    """One exit: the entry turned around, reduce-only, linked to the entry and the other exit."""
    blank = dict.fromkeys(
        (
            "limit_price",
            "stop_price",
            "trail_percent",
            "expires_at",
            "protective",
            "notional",
            "replaces",
            # The recommendation is about the entry, and is done when that is.
            "recommendation_id",
            "take_profit_id",
            "stop_loss_id",
        )
    )
    links = {"id": own, "parent_id": entry.id, "oco_id": other, "cause": f"{entry.cause}:{role}"}
    side = Side.SELL if entry.side is Side.BUY else Side.BUY
    rest = {"side": side, "time_in_force": TimeInForce.GTC, "reduce_only": True}
    return entry.model_copy(update={**blank, **links, **rest, **terms})


def _reference(request: OrderRequest, snapshot: Snapshot) -> Decimal | None:
    """The price around which a bracket stands."""
    mark = snapshot.mark.price if snapshot.mark else None
    return request.limit_price or request.stop_price or mark


def _check_side(
    price: Decimal, reference: Decimal | None, side: Side, field: str, *, beyond: bool
) -> None:
    """Raise InvalidInput unless an exit's price lies where it gains (beyond) or stops a loss."""
    if reference is None:
        return
    above = beyond is (side is Side.BUY)
    if (price > reference) is not above or price == reference:
        word = "above" if above else "below"
        raise InvalidInput(field, f"must be {word} the entry's price of {plain(reference)}")


def _check_terms(request: OrderRequest) -> None:
    """Raise InvalidInput for a term that is missing, or that the order's type has no use for."""
    kind = request.type
    needed = {
        "limit_price": kind in LIMITED_TYPES,
        "stop_price": kind in (OrderType.STOP, OrderType.STOP_LIMIT),
        "trail_percent": kind is OrderType.TRAILING_STOP,
    }
    for name, wanted in needed.items():
        given = getattr(request, name) is not None
        if wanted and not given:
            raise InvalidInput(name, f"is needed for a {kind} order")
        if given and not wanted:
            raise InvalidInput(name, f"does not belong to a {kind} order")
    at_once = request.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)
    if at_once and kind in STOP_TYPES:
        raise InvalidInput("time_in_force", f"must be gtc or gtd for a {kind} order, which waits")
    if request.reduce_only and (request.take_profit is not None or request.stop_loss is not None):
        raise InvalidInput("reduce_only", "does not go with a bracket, whose entry opens a holding")


def _check_currency(snapshot: Snapshot) -> None:
    """Raise InvalidInput for an instrument whose currency could not be counted in the base one."""
    try:
        snapshot.portfolio.rate(snapshot.instrument.quote_currency)
    except MissingRate as error:
        quoted = f"is quoted in {error.currency}: {error.detail}"
        raise InvalidInput("symbol", quoted) from error


def _check_prices(request: OrderRequest, snapshot: Snapshot) -> None:
    """Raise InvalidInput for a price off the tick, a senseless trail, too large an order."""
    for name in ("limit_price", "stop_price"):
        price = getattr(request, name)
        if price is not None:
            snapshot.instrument.check_price(price, name)
    trails = {"trail_percent": request.trail_percent}
    if request.stop_loss is not None:
        trails["stop_loss.trail_percent"] = request.stop_loss.trail_percent
    for name, trail in trails.items():
        if trail is not None and not ZERO < trail < 100:
            raise InvalidInput(name, "must lie between 0 and 100")
    mark = snapshot.mark.price if snapshot.mark else ZERO
    price = max(request.limit_price or ZERO, request.stop_price or ZERO) or mark
    if price * request.quantity >= MAX_NOTIONAL:
        raise InvalidInput("quantity", f"makes the order worth {plain(MAX_NOTIONAL)} or more")


def _check_time(
    request: OrderRequest, now: datetime, recommendation: Recommendation | None
) -> None:
    """Raise InvalidInput unless exactly a GTD order has a time to end at, which is to come.

    The order of a recommendation may come late; it then expires.
    """
    good_till = request.time_in_force is TimeInForce.GTD
    if good_till is not (request.expires_at is not None):
        raise InvalidInput("expires_at", "is needed for time_in_force gtd, and only for it")
    if request.expires_at is not None and recommendation is None and request.expires_at <= now:
        raise InvalidInput("expires_at", f"must be later than now, {to_text(now)}")


def _check_link(request: OrderRequest, snapshot: Snapshot) -> None:
    """Raise InvalidInput unless the order that it is to be linked to can be."""
    other_id = request.oco_order_id
    if other_id is None:
        return
    if other_id == request.order_id:
        raise InvalidInput("oco_order_id", "must name another order: none can be linked to itself")
    other = snapshot.linked.get(other_id)
    if other is None or other.portfolio_id != request.portfolio_id:
        raise InvalidInput("oco_order_id", f"there is no order '{other_id}' in this portfolio")
    at_once = request.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)
    bracket = request.take_profit is not None or request.stop_loss is not None
    linked = other.oco_id or other.parent_id or other.take_profit_id or other.stop_loss_id
    obstacles = {
        f"order '{other_id}' is {other.execution_status}, not open": not other.is_open,
        f"order '{other_id}' is linked already; a pair has two orders": linked,
        f"order '{other_id}' belongs to a recommendation": other.recommendation_id,
        f"order '{other_id}' is for {other.symbol}": other.symbol != request.symbol,
        "only orders that can wait are linked": request.type is OrderType.MARKET or at_once,
        "a bracket's entry cannot be linked as well": bracket,
    }
    for obstacle, stands in obstacles.items():
        if stands:
            raise InvalidInput("oco_order_id", obstacle)
    if other.remaining != request.quantity:
        raise InvalidInput("quantity", f"must be {plain(other.remaining)}, as of '{other_id}'")
