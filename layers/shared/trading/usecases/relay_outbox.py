"""Sends saved recommendations to execution, including those whose writer died after saving."""

from __future__ import annotations

from collections.abc import Sequence

from trading.domain.errors import ConcurrentUpdate
from trading.domain.recommendation import Recommendation, RecommendationStatus
from trading.ports import Desk

BATCH = 100


def relay_outbox(desk: Desk) -> dict[str, int]:
    """Send what waits in the outbox, oldest first; returns how many were sent and how many not."""
    return send(desk, desk.recommendations.outbox(BATCH))


def send(desk: Desk, waiting: Sequence[Recommendation]) -> dict[str, int]:
    """Send recommendations, then note that they were sent.

    Dying between the two sends one twice; the queue drops the second within five minutes, and
    execution acts on a recommendation only once in any case.
    """
    taken = set(desk.queue.send(waiting)) if waiting else set()
    for recommendation in waiting:
        if recommendation.id not in taken:
            continue
        queued = recommendation.moved(RecommendationStatus.QUEUED, desk.wall_clock())
        try:
            desk.recommendations.move(queued, recommendation)
        except ConcurrentUpdate:
            # Execution was faster than this note: the recommendation has moved on by itself.
            continue
    return {"sent": len(taken), "unsent": len(waiting) - len(taken)}
