"""Places an order: judged, then filled, resting or rejected, in one write."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from trading.domain.books import Snapshot, order_context, place
from trading.domain.errors import IdempotencyConflict, InvalidInput
from trading.domain.identifiers import derived_id
from trading.domain.money import MAX_NOTIONAL, ZERO, plain
from trading.domain.order import Order, OrderType, Side
from trading.domain.recommendation import Recommendation
from trading.domain.risk.engine import Decision, judge
from trading.ports import Desk
from trading.usecases.retry import retried


@dataclass(frozen=True)
class OrderRequest:
    """What is to be traded, and what caused it: ``request:<key id>:<Idempotency-Key>`` or so."""

    portfolio_id: str
    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal
    limit_price: Decimal | None
    cause: str
    correlation_id: str

    @property
    def order_id(self) -> str:
        """The id of the one order that this cause can make."""
        return derived_id("ord", self.portfolio_id, self.cause)

    @property
    def fingerprint(self) -> str:
        """Tells two requests of the same cause apart."""
        limit = "" if self.limit_price is None else plain(self.limit_price)
        parts = (self.symbol, self.side.value, self.type.value, plain(self.quantity), limit)
        return derived_id("req", *parts)


@dataclass(frozen=True)
class Placed:
    """The order as it stands, and the verdict if it was judged just now."""

    order: Order
    decision: Decision | None


def place_order(
    desk: Desk, request: OrderRequest, recommendation: Recommendation | None = None
) -> Placed:
    """Place the order once, however often this is called with the same cause.

    Raises NotFound for an unknown portfolio or instrument, InvalidInput for a limit price off the
    tick, IdempotencyConflict if the cause made another order before, ConcurrentUpdate if the
    books were too busy.
    """
    return retried(lambda: place_once(desk, request, recommendation))


def place_once(desk: Desk, request: OrderRequest, recommendation: Recommendation | None) -> Placed:
    """Try once: read, decide, write. For callers that read anew themselves; raises as placing."""
    snapshot = desk.books.snapshot(request.portfolio_id, request.symbol, request.order_id)
    if snapshot.existing is not None:
        if snapshot.existing.request_hash != request.fingerprint:
            raise IdempotencyConflict("this key has already placed a different order")
        return Placed(snapshot.existing, None)
    change = place(new_order(request, snapshot, recommendation), snapshot, recommendation)
    desk.books.commit(change)
    assert change.order is not None
    return Placed(change.order, change.decision)


def evaluate(desk: Desk, request: OrderRequest) -> Decision:
    """Judge an order as if it were placed now; nothing is written. Raises as placing it would."""
    snapshot = desk.books.snapshot(request.portfolio_id, request.symbol, request.order_id)
    return judge(order_context(new_order(request, snapshot), snapshot))


def new_order(
    request: OrderRequest, snapshot: Snapshot, recommendation: Recommendation | None = None
) -> Order:
    """Make the order of a request.

    Raises InvalidInput for a limit price that is off the tick or an order worth too much to book.
    """
    if request.type is OrderType.LIMIT and request.limit_price is None:
        raise InvalidInput("limit_price", "is needed for a limit order")
    if request.limit_price is not None:
        snapshot.instrument.check_price(request.limit_price, "limit_price")
    price = request.limit_price or (snapshot.mark.price if snapshot.mark else ZERO)
    if price * request.quantity >= MAX_NOTIONAL:
        raise InvalidInput("quantity", f"makes the order worth {plain(MAX_NOTIONAL)} or more")
    return Order(
        id=request.order_id,
        portfolio_id=request.portfolio_id,
        symbol=request.symbol,
        side=request.side,
        type=request.type,
        quantity=request.quantity,
        limit_price=request.limit_price,
        currency=snapshot.instrument.quote_currency,
        cause=request.cause,
        recommendation_id=recommendation.id if recommendation else None,
        request_hash=request.fingerprint,
        created_at=snapshot.now,
        updated_at=snapshot.now,
        correlation_id=request.correlation_id,
    )
