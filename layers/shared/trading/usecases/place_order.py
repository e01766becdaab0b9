"""Places an order: judged, then filled, resting or rejected, in one write."""

from __future__ import annotations

from dataclasses import dataclass

from trading.domain.errors import IdempotencyConflict
from trading.domain.order import Order, OrderStatus
from trading.domain.order_life import order_context, place
from trading.domain.order_request import OrderRequest, new_exits, new_order
from trading.domain.recommendation import Recommendation
from trading.domain.risk.engine import Decision, judge
from trading.ports import Desk
from trading.usecases.retry import retried


@dataclass(frozen=True)
class Placed:
    """The order as it stands, and the verdict if it was judged just now or is a refusal."""

    order: Order
    decision: Decision | None


def place_order(
    desk: Desk, request: OrderRequest, recommendation: Recommendation | None = None
) -> Placed:
    """Place the order once, however often this is called with the same cause.

    Raises NotFound for an unknown portfolio or instrument, InvalidInput for terms that cannot be
    met, IdempotencyConflict if the cause made another order before, ConcurrentUpdate if the
    books were too busy.
    """
    return retried(lambda: place_once(desk, request, recommendation))


def place_once(desk: Desk, request: OrderRequest, recommendation: Recommendation | None) -> Placed:
    """Try once: read, decide, write. For callers that read anew themselves; raises as placing."""
    snapshot = desk.books.snapshot(
        request.portfolio_id, request.symbol, request.order_id, *request.touches
    )
    if snapshot.existing is not None:
        if snapshot.existing.request_hash != request.fingerprint:
            raise IdempotencyConflict("this key has already placed a different order")
        refused = snapshot.existing.execution_status is OrderStatus.REJECTED
        return Placed(
            snapshot.existing, desk.risk.decision_on(snapshot.existing) if refused else None
        )
    order = new_order(request, snapshot, recommendation)
    exits = new_exits(request, order, snapshot)
    change = place(order, snapshot, recommendation, exits)
    desk.books.commit(change)
    assert change.order is not None
    return Placed(change.order, change.decision)


def evaluate(desk: Desk, request: OrderRequest) -> Decision:
    """Judge an order as if it were placed now; nothing is written. Raises as placing it would."""
    snapshot = desk.books.snapshot(
        request.portfolio_id, request.symbol, request.order_id, *request.touches
    )
    order = new_order(request, snapshot)
    new_exits(request, order, snapshot)
    return judge(order_context(order, snapshot))
