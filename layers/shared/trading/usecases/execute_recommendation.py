"""Acts on a recommendation that came out of the queue."""

from __future__ import annotations

from trading.domain.errors import InvalidInput, NotFound
from trading.domain.order import TimeInForce
from trading.domain.order_request import OrderRequest, StopLoss, order_id
from trading.domain.recommendation import WAITING, Recommendation, RecommendationStatus
from trading.ports import Desk
from trading.usecases.place_order import place_once
from trading.usecases.retry import retried


def execute_recommendation(desk: Desk, identifier: str) -> Recommendation:
    """Turn the recommendation into its one order, or let it lapse; safe to repeat.

    One that was acted on, cancelled or has lapsed before is returned as it stands; one that no
    order can be made of any more, as when the tick changed, fails for good. Raises
    NotFound for an unknown id, ConcurrentUpdate if the books were too busy.
    """
    return retried(lambda: _execute_once(desk, identifier))


def _execute_once(desk: Desk, identifier: str) -> Recommendation:
    """One try: whatever happens meanwhile makes the write fail, and the next try sees it."""
    recommendation = desk.recommendations.get(identifier)
    if recommendation.execution_status not in WAITING:
        return recommendation
    now = desk.books.now(desk.books.account(recommendation.portfolio_id))
    if now > recommendation.valid_until:
        lapsed = recommendation.moved(
            RecommendationStatus.EXPIRED, now, "valid_until had passed before it could trade"
        )
        desk.recommendations.move(lapsed, recommendation)
        return lapsed
    try:
        place_once(desk, order_request(recommendation), recommendation)
    except (NotFound, InvalidInput) as error:
        failed = recommendation.moved(RecommendationStatus.FAILED, now, error.detail)
        desk.recommendations.move(failed, recommendation)
        return failed
    return desk.recommendations.get(identifier)


def order_request(recommendation: Recommendation) -> OrderRequest:
    """The order that a recommendation asks for; what rests of it lapses along with it."""
    return OrderRequest(
        portfolio_id=recommendation.portfolio_id,
        symbol=recommendation.symbol,
        side=recommendation.side,
        type=recommendation.type,
        quantity=recommendation.quantity,
        limit_price=recommendation.limit_price,
        stop_price=recommendation.stop_price,
        notional=recommendation.notional,
        take_profit=recommendation.take_profit,
        stop_loss=_stop_loss(recommendation),
        replaces=recommendation.replaces,
        cause=_cause(recommendation.id),
        correlation_id=recommendation.correlation_id,
        time_in_force=TimeInForce.GTD,
        expires_at=recommendation.valid_until,
        reduce_only=recommendation.is_exit,
        protective=recommendation.source.startswith("stop:"),
    )


def _stop_loss(recommendation: Recommendation) -> StopLoss | None:
    """The protective exit of the bracket, if there is to be one."""
    price, percent = recommendation.stop_loss, recommendation.trail_percent
    if price is None and percent is None:
        return None
    return StopLoss(stop_price=price, trail_percent=percent)


def order_id_of(portfolio_id: str, recommendation_id: str) -> str:
    """The id of the order that a recommendation makes, known before the recommendation is."""
    return order_id(portfolio_id, _cause(recommendation_id))


def _cause(recommendation_id: str) -> str:
    return f"recommendation:{recommendation_id}"
