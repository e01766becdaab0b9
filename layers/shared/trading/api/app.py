"""One application per service, all alike: exact JSON, problem bodies, health, metrics, OpenAPI."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from mangum import Mangum

from trading.api import health
from trading.api import metrics as prometheus
from trading.api.audit import Audited, Trail
from trading.api.cors import AllowedOrigins
from trading.api.health import CheckResult, table_check
from trading.api.metrics import MetricFamily, Scraped
from trading.api.middleware import Observed
from trading.api.problems import MEDIA_TYPE, add_handlers
from trading.api.routing import ExactRoute, new_router
from trading.api.security import requires
from trading.schemas.problem import Problem
from trading.telemetry import invocation

__all__ = ["CheckResult", "MetricFamily", "create_app", "lambda_entry", "new_router", "table_check"]

VERSION = "0.1.0"


def create_app(
    service: str,
    title: str,
    *routers: APIRouter,
    prefix: str,
    checks: Mapping[str, Callable[[], CheckResult]],
    metrics: Callable[[], Iterable[MetricFamily]],
    trail: Callable[[], Trail],
    body_limits: Mapping[str, int] | None = None,
) -> FastAPI:
    """Build a service's application.

    ``checks`` are run by ``GET {prefix}/health``, ``metrics`` gives what ``GET {prefix}/metrics``
    shows, and every request to write is noted in the ``trail``. ``body_limits`` maps
    ``"POST /path"`` to bytes where the default limit is too small.
    Raises TypeError for a router that was not made by ``new_router``.
    """
    app = FastAPI(
        title=title,
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        strict_content_type=False,
        # The middleware below makes the request's span, in the provider of trading.tracing.
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
        responses={"default": _PROBLEM},
    )
    app.state.service = service
    app.state.body_limits = dict(body_limits or {})
    app.add_middleware(Audited, trail=trail)
    app.add_middleware(AllowedOrigins)
    app.add_middleware(Observed)
    add_handlers(app)
    # First, so that no "{prefix}/{id}" takes these two names.
    app.state.routers = (_operations(service, prefix, checks, metrics), *routers)
    for router in app.state.routers:
        _require_exact(router)
        app.include_router(router, tags=[service])
    return app


_PROBLEM: dict[str, Any] = {
    "description": "An error, as a problem document (RFC 9457).",
    "content": {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}},
}


def _operations(
    service: str,
    prefix: str,
    checks: Mapping[str, Callable[[], CheckResult]],
    metrics: Callable[[], Iterable[MetricFamily]],
) -> APIRouter:
    """Return the two routes that every service has."""
    router = new_router()
    scraped = Scraped(metrics)

    @router.get(
        f"{prefix}/health",
        summary="Whether the service and what it depends on work (no key needed)",
        response_model=health.HealthReport,
        responses={503: {"model": health.HealthReport, "description": "A check failed."}},
        operation_id=f"{service}_health",
    )
    def get_health() -> Response:
        return health.report(service, checks)

    @router.get(
        f"{prefix}/metrics",
        summary="Figures in the Prometheus text format",
        dependencies=[requires("metrics:read")],
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
        operation_id=f"{service}_metrics",
    )
    def get_metrics() -> Response:
        return Response(scraped.text(), media_type=prometheus.MEDIA_TYPE)

    return router


def _require_exact(router: APIRouter) -> None:
    """Refuse routes that would read numbers as floats."""
    for route in router.routes:
        if not isinstance(route, ExactRoute):
            raise TypeError(f"{route} must come from trading.api.app.new_router()")


def lambda_entry(app: FastAPI) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """Return the Lambda entry point of an application."""
    adapter = Mangum(
        app,
        lifespan="off",
        text_mime_types=["text/", "application/json", MEDIA_TYPE],
    )

    def entry(event: dict[str, Any], context: Any) -> dict[str, Any]:
        with invocation(context):
            return adapter(event, context)

    return entry
