"""Routers whose bodies are limited in size and read exactly, and that ignore no parameter."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic.warnings import UnsupportedFieldAttributeWarning
from starlette.exceptions import HTTPException

from trading.api import exact_json
from trading.domain.errors import InvalidInput, PayloadTooLarge

# FastAPI silences this while it makes a route; validators here are built later, on first use.
warnings.simplefilter("ignore", UnsupportedFieldAttributeWarning)

MAX_BODY = 256 * 1024
"""Bytes that a body may have unless the application says otherwise."""


async def _refuse_unknown(request: Request) -> None:
    """Refuse what a route would not look at: a filter with a slip in its name would list all.

    Raises InvalidInput, also for one that is given twice, as only one of them would count.
    """
    known: frozenset[str] = request.scope["route"].query_names
    given = [name for name, _ in request.query_params.multi_items()]
    for name in given:
        if name not in known:
            takes = f"only {', '.join(sorted(known))}" if known else "no parameters"
            raise InvalidInput(name, f"is not known here: this route takes {takes}")
        if given.count(name) > 1:
            raise InvalidInput(name, "is given more than once")


class ExactRoute(APIRoute):
    """A route that reads its JSON body by ``exact_json`` and refuses parameters it would ignore."""

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        dependencies: Sequence[Any] | None = None,
        **options: Any,
    ) -> None:
        # Last, so that who may not call learns nothing; once, as an application makes routes anew.
        own = [d for d in dependencies or () if d.dependency is not _refuse_unknown]
        own.append(Depends(_refuse_unknown))
        super().__init__(path, endpoint, dependencies=own, **options)
        self.query_names = _query_names(self.dependant)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the framework's handler."""
        handler = super().get_route_handler()
        if self.body_field is None:
            return handler

        async def read_exactly(request: Request) -> Response:
            return await handler(await _prepared(request))

        return read_exactly


def _query_names(dependant: Dependant) -> frozenset[str]:
    """The query parameters of a route and of what it depends on."""
    own = {parameter.alias for parameter in dependant.query_params}
    return frozenset(own.union(*map(_query_names, dependant.dependencies)))


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
