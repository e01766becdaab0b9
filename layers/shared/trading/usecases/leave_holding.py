"""Makes the exit of a stop that went off, and sees to it that it came to something."""

from __future__ import annotations

from trading.domain.errors import ConcurrentUpdate, NotFound
from trading.domain.money import ZERO
from trading.domain.order import OrderType
from trading.domain.order_request import OrderRequest
from trading.domain.portfolio import Portfolio
from trading.domain.recommendation import Recommendation, RecommendationStatus
from trading.domain.risk.stop import HoldingSide, Stop, StopKind, StopState
from trading.ports import Desk
from trading.usecases.place_order import evaluate
from trading.usecases.recommend import Proposal, save
from trading.usecases.relay_outbox import send

_R = RecommendationStatus
CAME_TO_NOTHING = frozenset({_R.REJECTED, _R.EXPIRED, _R.FAILED, _R.PARTIALLY_EXECUTED})
DONE = frozenset({_R.EXECUTED, _R.CANCELLED})


def leave(desk: Desk, portfolio: Portfolio, stop: Stop, correlation_id: str) -> Stop | None:
    """Recommend a stop's one exit, at the market, and return the stop as it is to be kept.

    None, and nothing saved, while the exit could not trade or another stop's is on its way.
    """
    proposal = _exit(desk, portfolio, stop)
    if proposal is None:
        return None
    exit_id = proposal.recommendation_id
    made = _find(desk, exit_id)
    if made is None:
        if _others_under_way(desk, stop) or not _would_trade(desk, proposal, correlation_id):
            return None
        made, _ = save(desk, proposal, correlation_id)
    if made.execution_status is RecommendationStatus.PENDING:
        send(desk, [made])
    return stop.model_copy(update={"exit_id": exit_id})


def settled(desk: Desk, stop: Stop) -> Stop:
    """Look after the exit of a stop that went off; one that came to nothing arms it again.

    A person's cancelling of the exit is the last word.
    """
    if stop.state is not StopState.TRIGGERED or stop.exit_id is None:
        return stop
    made = _find(desk, stop.exit_id)
    status = made.execution_status if made else RecommendationStatus.FAILED
    if status in CAME_TO_NOTHING:
        again = {"state": StopState.ARMED, "exit_id": None, "attempt": stop.attempt + 1}
    elif status in DONE:
        again = {"exit_id": None}
    else:
        return stop
    try:
        return desk.stops.put(stop.model_copy(update=again), stop)
    except ConcurrentUpdate:
        # Somebody else settled or replaced it; the next run sees what they left.
        return stop


def _exit(desk: Desk, portfolio: Portfolio, stop: Stop) -> Proposal | None:
    """The order that leaves what no resting order has been promised, in whole lots."""
    instrument = desk.market.get_instrument(stop.symbol)
    position = portfolio.positions.get(stop.symbol)
    if instrument is None or position is None:
        return None
    free = abs(position.quantity)
    if stop.holding is HoldingSide.LONG:
        free -= position.reserved_quantity
    quantity = instrument.round_quantity(max(free, ZERO))
    if quantity <= ZERO:
        return None
    word = "take_profit" if stop.kind is StopKind.TAKE_PROFIT else "stop"
    watched = stop.since.isoformat() if stop.since else ""
    set_at = stop.created_at.isoformat()
    return Proposal(
        portfolio_id=stop.portfolio_id,
        symbol=stop.symbol,
        side=stop.exit_side,
        quantity=quantity,
        cause=f"stop:{stop.symbol}:{stop.id}:{set_at}:{watched}:{stop.attempt}",
        source=f"{word}:{stop.id}",
    )


def _find(desk: Desk, identifier: str) -> Recommendation | None:
    try:
        return desk.recommendations.get(identifier)
    except NotFound:
        return None


def _others_under_way(desk: Desk, stop: Stop) -> bool:
    """Whether an exit of another stop is on its way to an order: two would sell twice."""
    waiting = desk.recommendations.unfinished(stop.portfolio_id)
    return any(r.symbol == stop.symbol and r.is_exit for r in waiting)


def _would_trade(desk: Desk, proposal: Proposal, correlation_id: str) -> bool:
    """Whether risk would let the exit pass as things stand."""
    request = OrderRequest(
        portfolio_id=proposal.portfolio_id,
        symbol=proposal.symbol,
        side=proposal.side,
        type=OrderType.MARKET,
        quantity=proposal.quantity,
        limit_price=None,
        cause=proposal.cause,
        correlation_id=correlation_id,
        reduce_only=True,
    )
    return evaluate(desk, request).passed
