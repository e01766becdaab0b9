"""Calls from browsers' pages: off unless origins are named in ``CORS_ORIGINS``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trading.settings import settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_METHODS = ("GET", "POST", "PUT", "DELETE")
_SENT = ("Content-Type", "Idempotency-Key", "X-Correlation-Id", "X-TRADING-API-KEY")
_SHOWN = ("Retry-After", "X-Correlation-Id")
_SECONDS = 600
"""How long a browser may remember what it was allowed."""


class AllowedOrigins:
    """ASGI middleware: lets pages of the named origins call, with their key in the header.

    Cookies are never involved. Without origins nothing is added to any answer.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        origins = settings().cors_origins
        if not origins:
            await self._app(scope, receive, send)
            return
        from starlette.middleware.cors import CORSMiddleware

        # Made per request: it holds nothing, and the origins are known only now.
        allowed = CORSMiddleware(
            self._app, origins, _METHODS, _SENT, expose_headers=_SHOWN, max_age=_SECONDS
        )
        await allowed(scope, receive, send)
