"""Errors, callers, headers, logs, health and metrics of every service."""

import io
import json
from typing import Any

import pytest

from tests.api.demo import Hooks, MemoryTrail, api, app
from tests.support.http import Context, invoke, proxy_event
from trading.api.app import CheckResult, create_app
from trading.domain import errors
from trading.telemetry import correlation_id

GOOD = {"amount": 1}


def failing(error: Exception) -> Any:
    def action() -> None:
        raise error

    Hooks.action = staticmethod(action)
    return invoke(api, "POST", "/things", GOOD)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidInput("legs.0.price", "wrong"), 422),
        (errors.Unauthenticated("who?"), 401),
        (errors.Forbidden("no"), 403),
        (errors.NotFound("order", "o1"), 404),
        (errors.Conflict("busy"), 409),
        (errors.IllegalTransition("no way"), 409),
        (errors.IdempotencyConflict("other body"), 422),
        (errors.ConcurrentUpdate("again"), 409),
        (errors.PayloadTooLarge("big"), 413),
        (errors.Unavailable("down"), 503),
    ],
)
def test_every_expected_error_is_a_problem_document(
    error: errors.TradingError, status: int
) -> None:
    answer = failing(error)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json
    assert problem["status"] == status
    assert problem["detail"] == error.detail
    assert problem["type"].startswith("urn:trading:problem:")
    assert problem["title"]
    assert problem["instance"] == "/things"
    assert problem["correlation_id"] == "req-1"


def test_every_error_of_the_domain_has_a_status_of_its_own() -> None:
    from trading.api.problems import KINDS

    tree = [t for t in vars(errors).values() if isinstance(t, type)]
    concrete = [t for t in tree if t is not errors.TradingError]
    assert all(any(parent in KINDS for parent in t.__mro__) for t in concrete)


def test_an_invalid_field_is_named_by_its_path() -> None:
    answer = failing(errors.InvalidInput("legs.0.price", "must be a tick"))
    assert answer.json["errors"] == [{"field": "legs.0.price", "message": "must be a tick"}]


@pytest.mark.parametrize("error", [errors.ConcurrentUpdate("x"), errors.Unavailable("x")])
def test_what_may_succeed_later_says_when_to_try_again(error: Exception) -> None:
    assert failing(error).headers["retry-after"] == "1"


def test_an_unexpected_error_gives_nothing_away_but_is_logged(
    logged: io.StringIO,
) -> None:
    answer = failing(RuntimeError("table-name-and-secret"))
    assert answer.status == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "table-name-and-secret" not in answer.text
    assert "RuntimeError" not in answer.text
    assert "table-name-and-secret" in logged.getvalue()


@pytest.mark.parametrize("path", ["/", "/nothing", "/things/", "/things/a/b/c", "/docs"])
def test_an_unknown_route_is_a_404_problem(path: str) -> None:
    answer = invoke(api, "GET", path)
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_known_route_with_another_method_is_a_405_problem() -> None:
    answer = invoke(api, "PATCH", "/things")
    assert answer.status == 405
    assert answer.headers["allow"] == "POST"
    assert invoke(api, "OPTIONS", "/things/p1/once").headers["allow"] == "POST"
    assert answer.json["status"] == 405


def test_a_request_that_no_authorizer_saw_is_a_401_problem() -> None:
    assert invoke(api, "POST", "/things", GOOD, scopes=None).status == 401


def test_a_caller_is_never_taken_from_headers() -> None:
    forged = {"key_id": "k", "scopes": "market:write", "portfolios": "*"}
    assert invoke(api, "POST", "/things", GOOD, forged, scopes=None).status == 401


@pytest.mark.parametrize("field", ["key_id", "scopes", "portfolios"])
def test_a_context_that_lacks_a_part_is_a_401_problem(field: str) -> None:
    event = proxy_event("POST", "/things", GOOD)
    del event["requestContext"]["authorizer"][field]
    assert api(event, Context())["statusCode"] == 401


def test_the_scope_that_is_missing_is_named() -> None:
    answer = invoke(api, "POST", "/things", GOOD, scopes=["market:read", "market:writer"])
    assert answer.status == 403
    assert "market:write" in answer.json["detail"]


@pytest.mark.parametrize("path", ["/things", "/things?none=1"])
def test_a_caller_without_the_scope_learns_nothing_about_the_input(path: str) -> None:
    assert invoke(api, "POST", path, {"amount": "x"}, scopes=[]).status == 403
    assert invoke(api, "POST", path, GOOD, scopes=None).status == 401


@pytest.mark.parametrize(
    ("portfolios", "status"), [(None, 201), (["p1"], 201), (["p0", "p1"], 201), (["p"], 403)]
)
def test_a_bound_key_reaches_its_own_portfolios_only(
    account: None, portfolios: list[str] | None, status: int
) -> None:
    headers = {"Idempotency-Key": "a"}
    answer = invoke(api, "POST", "/things/p1/once", GOOD, headers, portfolios=portfolios)
    assert answer.status == status


@pytest.mark.parametrize("path", ["/things", "/nothing"])
def test_no_answer_is_cached_sniffed_framed_or_sent_in_the_clear(path: str) -> None:
    headers = invoke(api, "POST", path, GOOD).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["strict-transport-security"] == "max-age=31536000"


def test_a_safe_correlation_id_is_taken_over_and_answered() -> None:
    seen: list[str] = []
    Hooks.action = staticmethod(lambda: seen.append(correlation_id()))
    answer = invoke(api, "POST", "/things", GOOD, {"X-Correlation-Id": "chain-1"})
    assert answer.headers["x-correlation-id"] == "chain-1"
    assert seen == ["chain-1"]


@pytest.mark.parametrize("unsafe", ["", "a b", "a\nb", "x" * 129, '"quoted"', "é"])
def test_an_unsafe_correlation_id_is_replaced_by_the_gateways(unsafe: str) -> None:
    answer = invoke(api, "POST", "/things", GOOD, {"X-Correlation-Id": unsafe})
    assert answer.headers["x-correlation-id"] == "req-1"


def test_one_line_is_logged_per_request_without_body_or_path_values(logged: io.StringIO) -> None:
    invoke(api, "POST", "/things/private-name/once", {"amount": 1, "note": "private-note"})
    (line,) = logged.getvalue().splitlines()
    fields = json.loads(line)
    assert fields["method"] == "POST"
    assert fields["route"] == "/things/{pid}/once"
    assert fields["status"] == 422
    assert fields["key_id"] == "testkey"
    assert fields["correlation_id"] == "req-1"
    assert fields["duration_ms"] >= 0
    assert "private" not in line


def test_a_failed_check_makes_the_service_degraded() -> None:
    Hooks.healthy = False
    answer = invoke(api, "GET", "/things/health", scopes=None)
    assert answer.status == 503
    assert answer.json["status"] == "degraded"
    assert answer.json["checks"]["part"]["detail"] == "broken"


def test_a_check_that_raises_is_a_failed_check() -> None:
    from trading.api.app import lambda_entry, new_router

    def broken() -> CheckResult:
        raise RuntimeError("private")

    service = create_app(
        "x",
        "X",
        new_router(),
        prefix="/x",
        checks={"a": broken},
        metrics=lambda: [],
        trail=MemoryTrail,
    )
    answer = invoke(lambda_entry(service), "GET", "/x/health", scopes=None)
    assert answer.status == 503
    assert "private" not in answer.text


def test_metrics_need_their_scope_and_escape_labels() -> None:
    assert invoke(api, "GET", "/things/metrics", scopes=["market:read"]).status == 403
    assert invoke(api, "GET", "/things/metrics").text == (
        '# HELP demo a "help"\\nline\n# TYPE demo gauge\ndemo{state="a\\"b\\\\c\\nd"} 3\n'
    )


def test_a_router_that_would_read_floats_is_refused() -> None:
    from fastapi import APIRouter

    inexact = APIRouter()
    inexact.add_api_route("/y", lambda: None)
    with pytest.raises(TypeError, match="new_router"):
        create_app("y", "Y", inexact, prefix="/y", checks={}, metrics=lambda: [], trail=MemoryTrail)


def test_openapi_shows_the_scope_of_every_operation() -> None:
    operation = app.openapi()["paths"]["/things"]["post"]
    assert operation["security"] == [{"ApiKey": ["market:write"]}]
