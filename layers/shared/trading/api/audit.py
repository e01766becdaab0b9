"""Notes every request to write in the audit trail: before it is acted on, and its answer."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from starlette.datastructures import Headers

from trading.api.gateway import gateway_of
from trading.api.problems import answer_to
from trading.domain.audit import AuditEntry
from trading.domain.errors import TradingError, Unavailable
from trading.telemetry import correlation_id, logger

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_MOST = 200
"""Characters kept of what the client chooses freely."""


class Trail(Protocol):
    """Where requests are noted."""

    def asked(self, entry: AuditEntry) -> None:
        """Note a request before it is acted on. Raises Unavailable."""
        ...

    def answered(self, entry: AuditEntry) -> None:
        """Note what a request was answered. Raises Unavailable."""
        ...


class Audited:
    """ASGI middleware. What cannot be noted is not done: such a request is answered with 503.

    When only the answer cannot be noted, the request stays noted as begun, and the log says so.
    """

    def __init__(self, app: ASGIApp, trail: Callable[[], Trail]) -> None:
        self._app = app
        self._trail = trail

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        entry = _entry(scope) if scope["type"] == "http" else None
        if entry is None:
            await self._app(scope, receive, send)
            return
        try:
            self._trail().asked(entry)
        except TradingError:
            logger.exception("the audit trail does not take a request, which is not acted on")
            refused = Unavailable("nothing was done; send the same request again")
            await answer_to(scope["path"], refused)(scope, receive, send)
            return
        status = 500

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        finally:
            self._answered(
                entry.model_copy(update={"status": status, "answered_at": datetime.now(UTC)})
            )

    def _answered(self, entry: AuditEntry) -> None:
        """Note the answer; what was done stays done if that fails."""
        try:
            self._trail().answered(entry)
        except TradingError:
            logger.exception("an answer is missing in the audit trail")


def _entry(scope: Scope) -> AuditEntry | None:
    """The request to be noted; None for one that only reads, or that nobody vouches for."""
    gateway, headers = gateway_of(scope), Headers(scope=scope)
    if scope["method"] in _READING or gateway.key_id is None:
        return None
    idempotency_key = headers.get("idempotency-key")
    return AuditEntry(
        # Never the client's own: two requests with one id would be noted as one.
        request_id=gateway.extended_request_id or uuid.uuid4().hex,
        key_id=gateway.key_id,
        generation=gateway.key_generation or 1,
        source=gateway.source or "unknown",
        user_agent=(gateway.user_agent or headers.get("user-agent") or "")[:_MOST],
        method=scope["method"],
        path=scope["path"][:_MOST],
        idempotency_key=idempotency_key[:_MOST] if idempotency_key else None,
        correlation_id=correlation_id(),
        asked_at=datetime.now(UTC),
    )
