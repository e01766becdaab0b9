"""Around every request: correlation id, security headers, one log line, no leaking of faults."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers, MutableHeaders

from trading.api.problems import internal_error
from trading.telemetry import choose_correlation_id, logger, set_correlation_id

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

CORRELATION_HEADER = "X-Correlation-Id"
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Strict-Transport-Security": "max-age=31536000",
}


class Observed:
    """ASGI middleware; the outermost part of every application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        context = (scope.get("aws.event") or {}).get("requestContext") or {}
        correlation = set_correlation_id(
            choose_correlation_id(
                Headers(scope=scope).get(CORRELATION_HEADER), context.get("requestId")
            )
        )
        start = time.perf_counter()
        status = 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers.update(_ALWAYS)
                headers[CORRELATION_HEADER] = correlation
            await send(message)

        try:
            await self._app(scope, receive, send_marked)
        except Exception:  # noqa: BLE001 logged, and answered as a fault
            logger.exception("unexpected error")
            if status == 0:
                await internal_error(scope["path"])(scope, receive, send_marked)
        _log(scope, context, status, time.perf_counter() - start)


def _log(scope: Scope, context: dict[str, Any], status: int, seconds: float) -> None:
    """Write the request's one line; neither bodies nor keys, and the path only as a template."""
    route = scope.get("route")
    logger.info(
        "request",
        extra={
            "method": scope["method"],
            "route": getattr(route, "path", "(none)"),
            "status": status,
            "duration_ms": round(seconds * 1000, 3),
            "key_id": (context.get("authorizer") or {}).get("key_id"),
        },
    )
