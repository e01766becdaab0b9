"""Orders and executions over HTTPS."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Request, Response

from trading import measures
from trading.api.app import new_router
from trading.api.idempotency import IdempotencyKey, replayable
from trading.api.listing import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    OfPortfolio,
    across,
    page_of,
    visible_portfolios,
)
from trading.api.problems import MEDIA_TYPE, blaming_body
from trading.api.security import CallerDep, requires
from trading.desk import desk
from trading.domain.order import Order, OrderStatus
from trading.schemas.base import Page, Wire
from trading.schemas.execution import (
    Difference,
    FillOut,
    OrderDetail,
    OrderIn,
    OrderOut,
    ReconcileIn,
    ReconcileOut,
    RejectedOrder,
)
from trading.schemas.problem import Problem
from trading.telemetry import correlation_id
from trading.usecases.end_order import cancel_order
from trading.usecases.place_order import place_order
from trading.usecases.reconcile import reconcile

router = new_router()
REJECTED: dict[str, Any] = {
    "model": RejectedOrder,
    "description": "Not valid, or rejected by a risk rule: with the order and every rule's result.",
    "content": {
        MEDIA_TYPE: {
            "schema": {
                "anyOf": [
                    {"$ref": f"#/components/schemas/{RejectedOrder.__name__}"},
                    {"$ref": f"#/components/schemas/{Problem.__name__}"},
                ]
            }
        }
    },
}
OrderId = Annotated[
    str, Path(alias="id", pattern=r"^ord_[0-9a-f]{32}$", description="The order's id.")
]


@router.post(
    "/orders",
    status_code=201,
    response_model=OrderOut,
    dependencies=[requires("execution:write")],
    responses={422: REJECTED},
)
def post_order(body: OrderIn, key: IdempotencyKey, caller: CallerDep, request: Request) -> Response:
    """Place an order.

    It is judged by every risk rule and filled at once at the latest price if the market allows;
    what the market does not meet rests, for as long as its time in force allows. With a
    take_profit or a stop_loss it is a bracket's entry, whose exits begin to work when it trades.
    An order that a rule rejects is kept with its verdict and answered as 422 with the order in
    the body. The same Idempotency-Key with the same body gives the same answer and never a
    second order.
    """
    caller.check_portfolio(body.portfolio_id)

    def place() -> tuple[int, Wire]:
        cause = f"request:{caller.key_id}:{key}"
        order_request = body.request(body.portfolio_id, cause, correlation_id())
        with blaming_body():
            placed = place_order(desk(), order_request)
        if placed.order.execution_status is not OrderStatus.REJECTED:
            return 201, OrderOut.of(placed.order)
        return 422, RejectedOrder.of(placed.order, placed.decision, request.url.path)

    return replayable(caller, request, key, body, place)


@router.get("/orders", response_model=Page[OrderOut], dependencies=[requires("execution:read")])
def get_orders(
    caller: CallerDep,
    portfolio_id: OfPortfolio = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[OrderOut]:
    """List orders, newest first, of one portfolio or of all that the key may see."""
    pids = visible_portfolios(caller, portfolio_id, desk().portfolios.ids)
    orders, following = page_of(across(pids, desk().orders.newest), limit, cursor)
    return Page(items=[OrderOut.of(order) for order in orders], cursor=following)


@router.get("/orders/{id}", response_model=OrderDetail, dependencies=[requires("execution:read")])
def get_order(order_id: OrderId, caller: CallerDep) -> OrderDetail:
    """Read an order with its fills."""
    order = _own(order_id, caller)
    fills = [FillOut.of(fill) for fill in desk().orders.fills_of(order_id)]
    own = OrderOut.of(order).model_dump(exclude={"status"})
    return OrderDetail(**own, fills=fills)


@router.delete("/orders/{id}", response_model=OrderOut, dependencies=[requires("execution:write")])
def delete_order(order_id: OrderId, caller: CallerDep) -> OrderOut:
    """Cancel a resting order and give back what it was promised; 409 once it is filled."""
    _own(order_id, caller)
    return OrderOut.of(cancel_order(desk(), order_id))


def _own(order_id: str, caller: CallerDep) -> Order:
    """Read an order that the caller may see; another portfolio's looks as if it did not exist."""
    order = desk().orders.get(order_id)
    caller.check_owns(order.portfolio_id, "order", order_id)
    return order


@router.get("/executions", response_model=Page[FillOut], dependencies=[requires("execution:read")])
def get_executions(
    caller: CallerDep,
    portfolio_id: OfPortfolio = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[FillOut]:
    """List fills, newest first, of one portfolio or of all that the key may see."""
    pids = visible_portfolios(caller, portfolio_id, desk().portfolios.ids)
    fills, following = page_of(across(pids, desk().orders.newest_fills), limit, cursor)
    return Page(items=[FillOut.of(fill) for fill in fills], cursor=following)


@router.post(
    "/orders/reconcile", response_model=ReconcileOut, dependencies=[requires("execution:write")]
)
def post_reconcile(body: ReconcileIn, caller: CallerDep) -> ReconcileOut:
    """Compare the books with the ledger and the resting orders; report, change nothing."""
    pids = visible_portfolios(caller, body.portfolio_id, desk().portfolios.ids)
    report = reconcile(desk(), pids)
    if report.differences:
        measures.count("ReconciliationDifferences", len(report.differences))
    return ReconcileOut(
        portfolios=len(pids),
        orders=report.orders,
        transactions=report.transactions,
        differences=[
            Difference(portfolio_id=d.portfolio_id, what=d.what, stored=d.stored, derived=d.derived)
            for d in report.differences
        ],
    )
