"""Entry points of the backtesting service: HTTPS, one backtest, one step of a sweep."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from backtesting.routes import router
from trading import bootstrap, checks
from trading.api.app import CheckResult, MetricFamily, create_app, lambda_entry
from trading.domain.errors import InvalidInput, NotFound
from trading.laboratory import laboratory
from trading.settings import settings
from trading.telemetry import logger, observed
from trading.usecases.run_queued_backtest import run_queued_backtest
from trading.usecases.sweep_in_chunks import compute, conclude, fail, plan


def _metrics() -> Iterable[MetricFamily]:
    """The newest backtests and sweeps, by state."""
    family = MetricFamily(
        "trading_backtests", "Of the newest 200 backtests and 200 sweeps, those in each state."
    )
    for kind, states in laboratory().experiments.counts().items():
        for status, count in states.items():
            family.add(count, kind=kind, status=status)
    return [family]


def _bucket() -> CheckResult:
    """Check that the bucket of results answers."""
    ok = laboratory().shelf.reachable()
    return CheckResult(ok, "reachable" if ok else "does not answer")


app = create_app(
    "backtesting",
    "Backtests and sweeps",
    router,
    prefix="/backtests",
    checks={
        "backtests_table": checks.table(lambda: settings().backtests_table),
        "market_table": checks.table(lambda: settings().market_table),
        "results_bucket": _bucket,
    },
    metrics=_metrics,
    trail=bootstrap.audit_trail,
)
api = lambda_entry(app)


_NOTHING = {"status": "unknown", "chunks": 0, "key": "", "rank": False, "tried": 0}
"""What any step of a sweep that does not exist answers."""


@observed
def on_run(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run one backtest.

    Event: ``{"run_id": "bt_…"}``. Answers its id and status; what cannot be reached now is raised,
    so that Lambda tries again.
    """
    try:
        run = run_queued_backtest(laboratory(), event["run_id"])
    except NotFound as error:
        # Another try would find nothing either.
        logger.warning("backtest", extra={"why": error.detail})
        return {"run_id": event["run_id"], "status": "unknown"}
    logger.info("backtest", extra={"run_id": run.id, "status": run.status, "why": run.error})
    return {"run_id": run.id, "status": run.status.value}


@observed
def on_sweep(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take one step of a sweep.

    Event: ``{"step": "plan" | "compute" | "conclude" | "fail", "sweep_id": "sweep_…", "attempt":
    1}``, with the chunk's ``number`` for compute and the ``error`` for fail. Answers what the next
    step needs. Raises InvalidInput for another step.
    """
    try:
        answer = _step(event, event["sweep_id"], int(event["attempt"]))
    except NotFound as error:
        # Another try would find nothing either.
        logger.warning("sweep", extra={"why": error.detail})
        return _NOTHING
    told = {"sweep_id": event["sweep_id"], "step": event["step"], "answer": answer}
    logger.info("sweep", extra=told)
    return answer


def _step(event: dict[str, Any], sweep_id: str, attempt: int) -> dict[str, Any]:
    """Take the step that an event names."""
    match event["step"]:
        case "plan":
            return plan(laboratory(), sweep_id, attempt)
        case "compute":
            return compute(laboratory(), sweep_id, attempt, int(event["number"]))
        case "conclude":
            return conclude(laboratory(), sweep_id, attempt)
        case "fail":
            why = f"it broke off: {event['error'].get('Error', 'unknown')}"
            fail(laboratory(), sweep_id, attempt, why)
            return {"status": "failed"}
        case other:
            raise InvalidInput("step", f"there is no step '{other}'")
