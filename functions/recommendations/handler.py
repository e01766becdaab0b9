"""Entry points of the recommendations service: HTTPS, generation and the outbox on schedules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from recommendations.routes import router
from trading import bootstrap, checks
from trading.api.app import MetricFamily, create_app, lambda_entry
from trading.desk import desk
from trading.domain.recommendation import Recommendation
from trading.settings import settings
from trading.telemetry import correlation_id, logger, observed
from trading.usecases.recommend import recommend_all
from trading.usecases.relay_outbox import relay_outbox


def _metrics() -> Iterable[MetricFamily]:
    """Recommendations by portfolio and state, and how long the oldest on its way has been so."""
    family = MetricFamily(
        "trading_recommendations", "Recommendations by portfolio and execution status."
    )
    for portfolio_id, states in desk().recommendations.counts().items():
        for state, count in states.items():
            family.add(count, portfolio=portfolio_id, execution_status=state)
    age = MetricFamily(
        "trading_queue_age_seconds", "Age of the oldest recommendation that waits for execution."
    )
    waiting = [*desk().recommendations.outbox(1), *desk().recommendations.queued(1)]
    return [family, age.add(max(map(_age, waiting), default=0), queue="execution")]


def _age(recommendation: Recommendation) -> int:
    """Seconds since one was made, on its portfolio's clock."""
    now = desk().books.now(desk().books.account(recommendation.portfolio_id))
    return max(0, int((now - recommendation.created_at).total_seconds()))


app = create_app(
    "recommendations",
    "Recommendations",
    router,
    prefix="/recommendations",
    checks={
        "recommendations_table": checks.table(lambda: settings().recommendations_table),
        "execution_queue": checks.execution_queue,
    },
    metrics=_metrics,
    trail=bootstrap.audit_trail,
)
api = lambda_entry(app)


@observed
def on_schedule(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Recommend for portfolios and send what was recommended.

    Event: ``{"portfolio_ids": ["main"]}``, or ``{}`` for every portfolio. Answers how many were
    created, rejected by risk, sent, and left in the outbox, and how many portfolios are unknown.
    """
    counts = recommend_all(desk(), event.get("portfolio_ids"), correlation_id())
    logger.info("recommendations generated", extra={"counts": counts})
    return counts


@observed
def on_relay(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Send what waits in the outbox because its writer died or the queue did not answer."""
    counts = relay_outbox(desk())
    logger.info("outbox relayed", extra={"counts": counts})
    return counts
