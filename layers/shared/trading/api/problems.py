"""Errors to problem documents (RFC 9457).

The table ``KINDS`` is the whole mapping; an error that it does not list is unexpected, and is
answered by the middleware as 500 without a word about its cause.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import Match

from trading.domain import errors
from trading.schemas.problem import FieldError, Problem
from trading.telemetry import correlation_id

MEDIA_TYPE = "application/problem+json"
MAX_FIELD_ERRORS = 50
_MAX_FIELD_NAME = 200


class MalformedBody(errors.TradingError):
    """The body is not JSON, or is JSON that two readers could understand differently."""


KINDS: dict[type[errors.TradingError], tuple[int, str, str]] = {
    MalformedBody: (400, "malformed-body", "The body is not acceptable JSON"),
    errors.InvalidInput: (422, "invalid-input", "The request is not valid"),
    errors.StrategyFailed: (422, "strategy-failed", "A strategy did not do what it must"),
    errors.Unauthenticated: (401, "unauthenticated", "No valid API key"),
    errors.Forbidden: (403, "forbidden", "The API key does not allow this"),
    errors.NotFound: (404, "not-found", "Not found"),
    errors.Conflict: (409, "conflict", "The present state does not allow this"),
    errors.IdempotencyConflict: (
        422, "idempotency-conflict", "The idempotency key was used with another body",
    ),
    errors.ConcurrentUpdate: (409, "concurrent-update", "Somebody else was faster; try again"),
    errors.PayloadTooLarge: (413, "payload-too-large", "The body is too large"),
    errors.Unavailable: (503, "unavailable", "A dependency does not answer; try again"),
}  # fmt: skip
RETRY_SOON = (errors.ConcurrentUpdate, errors.StillUnderWay, errors.Unavailable)


def problem_response(
    path: str,
    status: int,
    kind: str,
    title: str,
    detail: str,
    fields: Iterable[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Build the answer for an error."""
    body = Problem(
        type=f"urn:trading:problem:{kind}",
        title=title,
        status=status,
        detail=detail,
        errors=list(fields),
        instance=path,
        correlation_id=correlation_id(),
    )
    content = body.model_dump_json().encode()
    return Response(content, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


@contextmanager
def blaming_body() -> Iterator[None]:
    """Turn what the body names and does not exist into an error of that field of the body."""
    try:
        yield
    except errors.NotFound as error:
        field = {"instrument": "symbol", "portfolio": "portfolio_id"}.get(error.kind, error.kind)
        raise errors.InvalidInput(field, error.detail) from error


def internal_error(path: str) -> Response:
    """Answer something unexpected, giving nothing away."""
    return problem_response(
        path, 500, "internal", "Internal error", "internal error; quote the correlation id"
    )


def answer_to(path: str, error: errors.TradingError) -> Response:
    """Answer an expected error as ``KINDS`` says."""
    kind = next(k for k in type(error).__mro__ if k in KINDS)
    status, name, title = KINDS[kind]
    fields = []
    if isinstance(error, errors.InvalidInput):
        fields = [
            FieldError(field=each.field[:_MAX_FIELD_NAME], message=each.message)
            for each in (error, *error.more)[:MAX_FIELD_ERRORS]
        ]
    headers = {"Retry-After": "1"} if isinstance(error, RETRY_SOON) else {}
    return problem_response(path, status, name, title, error.detail, fields, headers)


async def _trading_error(request: Request, error: Exception) -> Response:
    """Answer an expected error that a route raised."""
    if not isinstance(error, errors.TradingError):
        raise error
    return answer_to(request.url.path, error)


async def _validation_error(request: Request, error: Exception) -> Response:
    """Answer a request that does not fit its schema; the values sent are never echoed."""
    if not isinstance(error, RequestValidationError):
        raise error
    found = [_field_error(entry) for entry in error.errors()[:MAX_FIELD_ERRORS]]
    status, name, title = KINDS[errors.InvalidInput]
    detail = "; ".join(f"{e.field}: {e.message}" for e in found[:3])
    return problem_response(request.url.path, status, name, title, detail, found)


_PLAINER = {
    "extra_forbidden": "is not a field of this request",
    "missing": "is required",
}
"""Messages in the words of who writes JSON, by the validator's kind of error."""


def _field_error(entry: Mapping[str, Any]) -> FieldError:
    """Name the field by its path inside the body, the query, the path or the headers."""
    where, *path = [str(part) for part in entry["loc"]]
    message = _PLAINER.get(entry["type"]) or str(entry["msg"]).removeprefix("Value error, ")
    return FieldError(field=(".".join(path) or where)[:_MAX_FIELD_NAME], message=message)


async def _http_error(request: Request, error: Exception) -> Response:
    """Answer what the framework itself refuses, such as unknown routes and methods."""
    if not isinstance(error, HTTPException):
        raise error
    title = HTTPStatus(error.status_code).phrase
    kind = title.lower().replace(" ", "-")
    detail = {
        404: f"there is no route {request.url.path}",
        405: f"{request.url.path} does not take {request.method}",
    }.get(error.status_code, str(error.detail))
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods(request))
    return problem_response(
        request.url.path, error.status_code, kind, title, detail, headers=headers
    )


def _methods(request: Request) -> list[str]:
    """Every method that the path takes; the framework names those of its first route alone.

    Of the most literal path: ``/keys/audit`` is no key, though ``/keys/{id}`` would match it.
    """
    asked = {"type": "http", "path": request.url.path, "method": request.method, "root_path": ""}
    routers: tuple[APIRouter, ...] = request.app.state.routers
    every = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    there = [route for route in every if route.matches(asked)[0] is not Match.NONE]
    path = min((route.path_format for route in there), key=lambda each: each.count("{"), default="")
    own = [route for route in there if route.path_format == path]
    return sorted({method for route in own for method in route.methods or ()})


def add_handlers(app: FastAPI) -> None:
    """Make every expected error of ``app`` a problem document."""
    for kind in KINDS:
        app.add_exception_handler(kind, _trading_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
