"""``GET <prefix>/health``: each dependency checked on its own, with its latency."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from fastapi import Response

from trading.schemas.base import Wire
from trading.telemetry import logger

OK = 200
UNAVAILABLE = 503


@dataclass(frozen=True)
class CheckResult:
    """Whether a dependency serves, and one sentence about it that anybody may read."""

    ok: bool
    detail: str = ""


class CheckReport(Wire):
    """One dependency's answer."""

    status: Literal["ok", "failed"]
    latency_ms: float
    detail: str


class HealthReport(Wire):
    """A service's health; ``degraded`` when a check failed."""

    status: Literal["ok", "degraded"]
    service: str
    checks: dict[str, CheckReport]


def table_check(reachable: Callable[[], bool]) -> Callable[[], CheckResult]:
    """Make a check of a function that tells whether a table answers."""

    def check() -> CheckResult:
        ok = reachable()
        return CheckResult(ok, "reachable" if ok else "does not answer")

    return check


def report(service: str, checks: Mapping[str, Callable[[], CheckResult]]) -> Response:
    """Run the checks and answer 200, or 503 when one failed."""
    results = {name: _run(name, check) for name, check in checks.items()}
    healthy = all(result.status == "ok" for result in results.values())
    body = HealthReport(status="ok" if healthy else "degraded", service=service, checks=results)
    return Response(
        body.model_dump_json(), OK if healthy else UNAVAILABLE, media_type="application/json"
    )


def _run(name: str, check: Callable[[], CheckResult]) -> CheckReport:
    """Run one check; one that raises has failed, and the log says why."""
    start = time.perf_counter()
    try:
        result = check()
    except Exception:  # noqa: BLE001 logged, and answered as a fault
        logger.exception("a health check raised", extra={"check": name})
        result = CheckResult(False, "the check itself failed")
    elapsed = round((time.perf_counter() - start) * 1000, 3)
    status: Literal["ok", "failed"] = "ok" if result.ok else "failed"
    return CheckReport(status=status, latency_ms=elapsed, detail=result.detail)
