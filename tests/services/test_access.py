"""Every route of the trading services: who may not is refused, whatever the request says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.aws import ROOT
from tests.support.floor import books, call, good, open_floor, order, place
from tests.support.http import ALL_SCOPES

OURS = ("orders", "executions", "recommendations", "portfolio", "risk")
BODIES: dict[str, Any] = {
    "post /orders": order(),
    "post /orders/reconcile": {"portfolio_id": "main"},
    "post /recommendations": order(),
    "post /recommendations/generate": {"portfolio_ids": ["main"]},
    "put /portfolio/{pid}": {"base_currency": "USD", "cash": "10000"},
    "post /portfolio/{pid}/holdings/update": {
        "type": "deposit",
        "currency": "USD",
        "amount": "1",
    },
    "post /portfolio/{pid}/allocation": {"weights": {"ACME": "0.1"}, "dry_run": False},
    "put /risk/{pid}/limits": {},
    "post /risk/{pid}/evaluate": {"symbol": "ACME", "side": "buy", "quantity": "1"},
    "put /risk/{pid}/stops": {"stops": []},
    "post /risk/{pid}/size": {"symbol": "ACME", "method": "fixed_fraction", "fraction": "0.1"},
    "post /risk/{pid}/halt": {"reason": "news"},
}
SPANNING = ("/orders", "/executions", "/recommendations", "/portfolio")
"""Lists that show a key what is its own, and metrics, which name no portfolio of the request."""


def routes() -> Iterator[tuple[str, str, str]]:
    """Every operation that needs a key: method, path, scope."""
    document = json.loads((ROOT / "docs/openapi.json").read_text())
    for path, operations in document["paths"].items():
        if path.split("/")[1] in OURS:
            for method, operation in operations.items():
                if "x-required-scope" in operation:
                    yield method, path, operation["x-required-scope"]


ROUTES = list(routes())


@pytest.fixture
def ids(account: None) -> dict[str, str]:
    open_floor()
    resting = place("10", type="limit", limit_price="90").json["id"]
    waiting = good("POST", "/recommendations", order(), key="waits")["id"]
    return {"orders": resting, "recommendations": waiting, "pid": "main"}


def send(method: str, path: str, ids: dict[str, str], **who: Any) -> Any:
    body = BODIES.get(f"{method} {path}")
    real = path.replace("{pid}", "main").replace("{id}", ids.get(path.split("/")[1], ""))
    return call(method.upper(), real, body, key="somebody", **who)


def test_every_route_that_takes_a_body_is_tried_with_a_good_one() -> None:
    assert BODIES.keys() <= {f"{method} {path}" for method, path, _ in ROUTES}
    assert len(ROUTES) > 30


def test_no_route_is_open_to_who_has_no_key_or_lacks_its_scope(ids: dict[str, str]) -> None:
    before = books()
    for method, path, scope in ROUTES:
        name = f"{method} {path}"
        assert send(method, path, ids, scopes=None).status == 401, name
        without = [s for s in ALL_SCOPES if s != scope]
        refused = send(method, path, ids, scopes=without)
        assert (refused.status, scope in refused.json["detail"]) == (403, True), name
    assert books() == before
    assert good("GET", f"/recommendations/{ids['recommendations']}")["execution_status"] == "queued"


def test_a_key_of_another_portfolio_is_refused_by_name_and_finds_nothing_by_id(
    ids: dict[str, str],
) -> None:
    before = books()
    for method, path, scope in ROUTES:
        if scope == "metrics:read" or (method == "get" and path in SPANNING):
            continue
        refused = send(method, path, ids, portfolios=["other"])
        assert refused.status == (404 if "{id}" in path else 403), f"{method} {path}"
        assert refused.headers["content-type"] == "application/problem+json"
    for path in SPANNING:
        assert good("GET", path, portfolios=["other"])["items"] == []
    assert books() == before


@pytest.mark.parametrize("prefix", ["/orders", "/recommendations", "/portfolio", "/risk"])
def test_health_needs_no_key_and_names_its_checks_and_metrics_are_text(
    account: None, prefix: str
) -> None:
    open_floor()
    place("1")
    health = call("GET", f"{prefix}/health", scopes=None)
    assert (health.status, health.json["status"]) == (200, "ok")
    assert {check["status"] for check in health.json["checks"].values()} == {"ok"}
    metrics = call("GET", f"{prefix}/metrics", scopes=["metrics:read"])
    assert metrics.headers["content-type"].startswith("text/plain")
    assert metrics.text.startswith("# HELP trading_")
