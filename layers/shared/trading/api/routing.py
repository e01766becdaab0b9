"""Routers whose bodies are limited in size and read exactly."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from pydantic.warnings import UnsupportedFieldAttributeWarning
from starlette.exceptions import HTTPException

from trading.api import exact_json
from trading.domain.errors import PayloadTooLarge

# FastAPI silences this while it makes a route; validators here are built later, on first use.
warnings.simplefilter("ignore", UnsupportedFieldAttributeWarning)

MAX_BODY = 256 * 1024
"""Bytes that a body may have unless the application says otherwise."""


class ExactRoute(APIRoute):
    """A route that reads its JSON body by ``exact_json`` before the framework sees it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the framework's handler."""
        handler = super().get_route_handler()
        if self.body_field is None:
            return handler

        async def read_exactly(request: Request) -> Response:
            return await handler(await _prepared(request))

        return read_exactly


class _ExactRequest(Request):
    """A request whose body has been read and parsed already."""

    exact: Any = None

    async def json(self) -> Any:
        return self.exact


async def _prepared(request: Request) -> Request:
    """Read and parse the body. Raises PayloadTooLarge or MalformedBody."""
    prepared = _ExactRequest(request.scope, request.receive)
    limits: dict[str, int] = request.app.state.body_limits
    limit = limits.get(f"{request.method} {request.url.path}", MAX_BODY)
    body = await prepared.body()
    if len(body) > limit:
        raise PayloadTooLarge(f"the body has {len(body)} bytes; at most {limit} are taken")
    media_type = request.headers.get("content-type", "application/json").partition(";")[0]
    media_type = media_type.strip().lower()
    if body and media_type != "application/json" and not media_type.endswith("+json"):
        raise HTTPException(415, "the body must be application/json")
    if body:
        prepared.exact = exact_json.parse(body)
    return prepared


def new_router(**options: Any) -> APIRouter:
    """Return a router for a service's routes; options are those of ``APIRouter``."""
    return APIRouter(route_class=ExactRoute, **options)
