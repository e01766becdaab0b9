"""Around every request: correlation id, security headers, one log line, no leaking of faults."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from trading import measures, tracing
from trading.api.gateway import Gateway, gateway_of
from trading.api.problems import internal_error
from trading.telemetry import choose_correlation_id, logger, note_trace, set_correlation_id

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

CORRELATION_HEADER = "X-Correlation-Id"
_FAULT = 500
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
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
        gateway = gateway_of(scope)
        headers = Headers(scope=scope)
        correlation = set_correlation_id(
            choose_correlation_id(headers.get(CORRELATION_HEADER), gateway.request_id)
        )
        carrier = {name: headers[name] for name in tracing.HEADERS if name in headers}
        with tracing.span(scope["method"], "server", carrier, correlation__id=correlation) as span:
            note_trace()
            start = time.perf_counter()
            status = await self._serve(scope, receive, send, correlation)
            seconds = time.perf_counter() - start
            _describe(span, scope, status)
        measures.count("Requests")
        measures.measure("Latency", "Milliseconds", round(seconds * 1000, 3))
        if status >= _FAULT:
            measures.count("Faults")
        _log(scope, gateway, status, seconds)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, correlation: str) -> int:
        """Let the application answer, mark its answer, and return the status."""
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
        return status


def _describe(span: tracing.Noted, scope: Scope, status: int) -> None:
    """Name a request's span by its route, as OpenTelemetry's conventions have it."""
    route = _route(scope)
    span.rename(f"{scope['method']} {route}")
    span.note(http__request__method=scope["method"], http__route=route)
    span.note(http__response__status_code=status)
    if status >= _FAULT:
        span.failed(str(status))


def _route(scope: Scope) -> str:
    """The path as a template, so that no identifier gets into names."""
    return getattr(scope.get("route"), "path", "(none)")


def _log(scope: Scope, gateway: Gateway, status: int, seconds: float) -> None:
    """Write the request's one line; neither bodies nor keys, and the path only as a template."""
    logger.info(
        "request",
        extra={
            "method": scope["method"],
            "route": _route(scope),
            "status": status,
            "duration_ms": round(seconds * 1000, 3),
            "key_id": gateway.key_id,
            "key_generation": gateway.key_generation,
            "source": gateway.source,
        },
    )
