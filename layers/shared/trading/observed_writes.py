"""Repositories that count, and show in the trace, what they have written.

Counted after the write, which happens once whatever is repeated, so that repeats do not count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from trading import measures, tracing
from trading.adapters.dynamodb.books import BookRepository
from trading.adapters.dynamodb.recommendations import RecommendationRepository
from trading.adapters.dynamodb.signals import SignalRepository
from trading.domain.books import BookChange
from trading.domain.order import Order, OrderStatus
from trading.domain.recommendation import Recommendation, RecommendationStatus
from trading.domain.signal import Signal


class ObservedBooks(BookRepository):
    """Books that count orders by outcome, fills, and rejections by risk rule."""

    def commit(self, change: BookChange) -> None:
        """Write a decision whole. Raises ConcurrentUpdate, with nothing written."""
        order, fill = change.order, change.fill
        with tracing.span(
            "commit fill" if fill else "commit",
            portfolio__id=change.before.portfolio_id,
            order__id=order.id if order else None,
            order__status=order.execution_status.value if order else None,
            fill__id=fill.id if fill else None,
        ):
            super().commit(change)
        if order is not None:
            _count_order(order, change.order_was)
        for move in change.linked:
            _count_order(move.order, move.was)
        if fill is not None:
            measures.count("Fills")
        if change.decision is not None and not change.decision.passed:
            measures.count("RiskRejections", rule=change.decision.reason or "unknown")


def _count_order(order: Order, was: Order | None) -> None:
    """Count an order that came into a state."""
    status = order.execution_status
    if status is not OrderStatus.NEW and (was is None or was.execution_status is not status):
        measures.count("Orders", outcome=status.value)


class ObservedRecommendations(RecommendationRepository):
    """Recommendations that are counted by how they begin; those that risk rejects by rule.

    They keep the present trace's context, so that it goes on whoever sends them.
    """

    def create(self, recommendation: Recommendation) -> bool:
        """Write a new one; False if it exists."""
        context: dict[str, str] = {}
        tracing.inject(context)
        traced = {"trace_parent": context["traceparent"]} if context else None
        created = super().create(
            recommendation.model_copy(update=traced) if traced else recommendation
        )
        if created:
            status = recommendation.execution_status
            measures.count("Recommendations", outcome=status.value)
            if status is RecommendationStatus.REJECTED:
                measures.count("RiskRejections", rule=recommendation.reason or "unknown")
        return created


class ObservedSignals(SignalRepository):
    """Signals that are counted by source."""

    def _write(self, signals: Sequence[Signal]) -> None:
        """Write new signals, all or nothing."""
        super()._write(signals)
        for source, number in Counter(signal.source for signal in signals).items():
            measures.count("Signals", number, source=source)
