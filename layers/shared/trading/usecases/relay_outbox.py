"""Sends saved recommendations to execution, including those whose writer died after saving."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache

from trading.domain.errors import ConcurrentUpdate
from trading.domain.recommendation import Recommendation, RecommendationStatus
from trading.ports import Desk
from trading.usecases.retry import retried

BATCH = 100
OLDEST = 500
"""How many of a portfolio's sent recommendations are looked at: a full queue is not read whole."""


def relay_outbox(desk: Desk) -> dict[str, int]:
    """Send what waits in the outbox, oldest first, and end what waited too long.

    A recommendation whose message was lost or is among the dead letters would otherwise keep its
    symbol from being recommended for good. Returns how many were sent, how many not, and how many
    expired.
    """

    @cache
    def now(portfolio_id: str) -> datetime:
        return desk.books.now(desk.books.account(portfolio_id))

    unsent = desk.recommendations.outbox(BATCH)
    waiting = [*unsent, *desk.recommendations.queued(OLDEST)]
    lapsed = {r.id for r in waiting if now(r.portfolio_id) > r.valid_until}
    expired = sum(_expire(desk, r, now) for r in waiting if r.id in lapsed)
    return {**send(desk, [r for r in unsent if r.id not in lapsed]), "expired": expired}


def _expire(desk: Desk, waiting: Recommendation, now: Callable[[str], datetime]) -> bool:
    """End one that lapsed; False if it has moved on by itself meanwhile."""
    reason = "valid_until had passed before it could trade"
    moment = now(waiting.portfolio_id)
    try:
        expired = waiting.moved(RecommendationStatus.EXPIRED, moment, reason)
        desk.recommendations.move(expired, waiting)
    except ConcurrentUpdate:
        return False
    return True


def send(desk: Desk, waiting: Sequence[Recommendation]) -> dict[str, int]:
    """Send recommendations, then note that they were sent.

    Dying between the two sends one twice; the queue drops the second within five minutes, and
    execution acts on a recommendation only once in any case.
    """
    taken = set(desk.queue.send(waiting)) if waiting else set()
    for recommendation in waiting:
        if recommendation.id not in taken:
            continue
        _note(desk, recommendation)
    return {"sent": len(taken), "unsent": len(waiting) - len(taken)}


def _note(desk: Desk, recommendation: Recommendation) -> None:
    """Note that one was sent, unless execution was faster and it has moved on by itself."""
    seen = [recommendation]

    def once() -> None:
        # Read again only after somebody else's write, which is rare.
        current = seen.pop() if seen else desk.recommendations.get(recommendation.id)
        if current.execution_status is RecommendationStatus.PENDING:
            queued = current.moved(RecommendationStatus.QUEUED, desk.wall_clock())
            desk.recommendations.move(queued, current)

    retried(once)
