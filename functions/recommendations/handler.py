"""Entry points of the recommendations service: HTTPS, generation and the outbox on schedules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from recommendations.routes import router
from trading import checks
from trading.api.app import MetricFamily, create_app, lambda_entry
from trading.desk import desk
from trading.settings import settings
from trading.telemetry import begin_scheduled, correlation_id, logger
from trading.usecases.recommend import recommend_all
from trading.usecases.relay_outbox import relay_outbox


def _metrics() -> Iterable[MetricFamily]:
    """Recommendations by portfolio and state."""
    family = MetricFamily(
        "trading_recommendations", "Recommendations by portfolio and execution status."
    )
    for portfolio_id, states in desk().recommendations.counts().items():
        for state, count in states.items():
            family.add(count, portfolio=portfolio_id, execution_status=state)
    return [family]


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
)
api = lambda_entry(app)


def on_schedule(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Recommend for portfolios and send what was recommended.

    Event: ``{"portfolio_ids": ["main"]}``, or ``{}`` for every portfolio. Answers how many were
    created, rejected by risk, sent, and left in the outbox, and how many portfolios are unknown.
    """
    begin_scheduled(event, context)
    counts = recommend_all(desk(), event.get("portfolio_ids"), correlation_id())
    logger.info("recommendations generated", extra={"counts": counts})
    return counts


def on_relay(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Send what waits in the outbox because its writer died or the queue did not answer."""
    begin_scheduled(event, context)
    counts = relay_outbox(desk())
    logger.info("outbox relayed", extra={"counts": counts})
    return counts
