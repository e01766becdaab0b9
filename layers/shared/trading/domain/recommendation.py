"""Recommendations: what to trade and why, waiting for or past their execution."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import Field

from trading.domain.errors import IllegalTransition
from trading.domain.order import OrderStatus, OrderType, Side
from trading.domain.risk.rule import RuleResult
from trading.domain.value import Value


class RecommendationStatus(StrEnum):
    """Where a recommendation is in its life; the values of ``execution_status``."""

    PENDING = "pending"
    QUEUED = "queued"
    EXECUTING = "executing"
    EXECUTED = "executed"
    PARTIALLY_EXECUTED = "partially_executed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"


_R = RecommendationStatus
_UNSENT = frozenset(
    {
        _R.EXECUTING,
        _R.EXECUTED,
        _R.PARTIALLY_EXECUTED,
        _R.REJECTED,
        _R.EXPIRED,
        _R.CANCELLED,
        _R.FAILED,
    }
)
RECOMMENDATION_MOVES: dict[RecommendationStatus, frozenset[RecommendationStatus]] = {
    # Straight from pending to executed is real: the consumer can act before the sender has
    # written down that it sent.
    _R.PENDING: _UNSENT | {_R.QUEUED},
    _R.QUEUED: _UNSENT,
    _R.EXECUTING: frozenset(
        {_R.EXECUTED, _R.PARTIALLY_EXECUTED, _R.REJECTED, _R.EXPIRED, _R.CANCELLED, _R.FAILED}
    ),
    _R.PARTIALLY_EXECUTED: frozenset({_R.EXECUTED}),
    # A late fill of a cancelled or expired order executes its recommendation after all.
    _R.CANCELLED: frozenset({_R.EXECUTED, _R.PARTIALLY_EXECUTED}),
    _R.EXPIRED: frozenset({_R.EXECUTED, _R.PARTIALLY_EXECUTED}),
    _R.EXECUTED: frozenset(),
    _R.REJECTED: frozenset(),
    _R.FAILED: frozenset(),
}
"""From each state, the states a recommendation may move to; anything else raises."""

WAITING = frozenset({_R.PENDING, _R.QUEUED})

_BY_ORDER: dict[OrderStatus, RecommendationStatus] = {
    OrderStatus.FILLED: _R.EXECUTED,
    OrderStatus.REJECTED: _R.REJECTED,
    OrderStatus.CANCELLED: _R.CANCELLED,
    OrderStatus.EXPIRED: _R.EXPIRED,
}


class Contribution(Value):
    """One signal's part in a recommendation: its score and the weight it was given."""

    signal_id: str
    source: str
    strategy: str
    score: Decimal
    weight: Decimal


class Recommendation(Value):
    """A proposed order with the evidence for it.

    ``score`` is the weighted mean of the contributing signals, ``quantity`` in units of the
    instrument, ``risk`` the verdict at the time of writing. It must not trade after
    ``valid_until`` on the portfolio's clock. ``notional`` sizes its order when that trades.
    ``stop_loss``, ``trail_percent`` and ``take_profit`` are the exits of the bracket that it makes;
    ``replaces`` are resting exits whose units its order takes over. ``trace_parent`` is the trace
    context of what made it, by the W3C's recommendation, where that is traced.
    """

    id: str
    portfolio_id: str
    symbol: str
    side: Side
    type: OrderType = OrderType.MARKET
    quantity: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    notional: Decimal | None = None
    stop_loss: Decimal | None = None
    trail_percent: Decimal | None = None
    take_profit: Decimal | None = None
    replaces: tuple[str, ...] | None = None
    execution_status: RecommendationStatus = RecommendationStatus.PENDING
    reason: str | None = None
    source: str
    score: Decimal | None = None
    price: Decimal | None = None
    contributions: list[Contribution] = Field(default_factory=list)
    risk: list[RuleResult] = Field(default_factory=list)
    order_id: str | None = None
    created_at: datetime
    updated_at: datetime
    valid_until: datetime
    correlation_id: str
    trace_parent: str | None = None

    @property
    def is_exit(self) -> bool:
        """Whether a stop or a take-profit asks to leave a holding: it must never open another."""
        return self.source.partition(":")[0] in ("stop", "take_profit")

    def moved(
        self,
        status: RecommendationStatus,
        now: datetime,
        reason: str | None = None,
        order_id: str | None = None,
    ) -> Recommendation:
        """Return it in another state. Raises IllegalTransition if the table forbids the move."""
        if status not in RECOMMENDATION_MOVES[self.execution_status]:
            raise IllegalTransition(
                f"recommendation '{self.id}' is {self.execution_status} and cannot become {status}"
            )
        return self.model_copy(
            update={
                "execution_status": status,
                "reason": reason,
                "updated_at": now,
                "order_id": order_id or self.order_id,
            }
        )


def status_by_order(order_status: OrderStatus, filled: Decimal) -> RecommendationStatus:
    """Return the recommendation's state that follows from its order's state and filled quantity."""
    ended = order_status in (OrderStatus.CANCELLED, OrderStatus.EXPIRED)
    if ended and filled:
        return RecommendationStatus.PARTIALLY_EXECUTED
    return _BY_ORDER.get(order_status, RecommendationStatus.EXECUTING)
