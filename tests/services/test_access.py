"""Every route of every service: who may not is refused, whatever the request says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.aws import ROOT
from tests.support.floor import INSTRUMENT, books, call, good, open_floor, order, place
from tests.support.http import ALL_SCOPES

PORTFOLIOS = ("orders", "executions", "recommendations", "portfolio", "risk")
"""Services whose things belong to portfolios, which keys may be bound to."""
CANDLE = {"time": "2026-01-01T00:00:00Z", "volume": "1"} | dict.fromkeys(
    ("open", "high", "low", "close"), "100"
)
BACKTEST = {"strategy": "ma_cross", "symbols": ["ACME"], "timeframe": "1d"}
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
    "post /keys": {"name": "mine", "scopes": ["market:read"]},
    "post /keys/{id}/rotate": {},
    "put /market/instruments/{symbol}": INSTRUMENT,
    "post /market/candles": {"symbol": "ACME", "timeframe": "1d", "candles": [CANDLE]},
    "post /market/prices": {"prices": [{"symbol": "ACME", "price": "101"}]},
    "post /signals": {
        "symbol": "ACME",
        "source": "desk",
        "strategy": "mood",
        "score": "1",
        "time": "2026-01-01T00:00:00Z",
    },
    "post /signals/generate": {},
    "post /signals/strategies/{name}/check": {"symbols": ["ACME"], "timeframe": "1d"},
    "put /signals/schedule": {"strategies": ["ma_cross"]},
    "post /backtests": BACKTEST,
    "post /backtests/sweeps": BACKTEST | {"space": {"fast": [5, 6]}},
    "post /backtests/sweeps/{id}/resume": {},
}
SPANNING = ("/orders", "/executions", "/recommendations", "/portfolio")
"""Lists that show a key what is its own, and metrics, which name no portfolio of the request."""


def routes() -> Iterator[tuple[str, str, str]]:
    """Every operation that needs a key: method, path, scope."""
    document = json.loads((ROOT / "docs/openapi.json").read_text())
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if "x-required-scope" in operation:
                yield method, path, operation["x-required-scope"]


ROUTES = list(routes())


@pytest.fixture
def ids(account: None) -> dict[str, str]:
    open_floor()
    resting = place("10", type="limit", limit_price="90").json["id"]
    waiting = good("POST", "/recommendations", order(), key="waits")["id"]
    made = good("POST", "/keys", {"name": "other", "scopes": ["market:read"]}, key="other")["id"]
    of_backtests = {"backtests": f"bt_{'0' * 32}", "sweeps": f"sweep_{'0' * 32}"}
    return {"orders": resting, "recommendations": waiting, "keys": made, **of_backtests}


def send(method: str, path: str, ids: dict[str, str], **who: Any) -> Any:
    body = BODIES.get(f"{method} {path}")
    _, first, second, *_ = [*path.split("/"), ""]
    own = ids.get(second) or ids.get(first, "")
    named = {"{pid}": "main", "{id}": own, "{symbol}": "ACME", "{name}": "ma_cross"}
    real = path
    for hole, name in named.items():
        real = real.replace(hole, name)
    return call(method.upper(), real, body, key="somebody", **who)


def test_every_route_that_takes_a_body_is_tried_with_a_good_one() -> None:
    assert BODIES.keys() <= {f"{method} {path}" for method, path, _ in ROUTES}
    assert len(ROUTES) > 60
    without = {f"{m} {p}" for m, p, _ in ROUTES if m in ("post", "put")} - BODIES.keys()
    assert without == {
        "post /recommendations/{id}/cancel",
        "post /risk/{pid}/resume",
        "post /risk/{pid}/var/refresh",
    }


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


def test_the_scope_that_a_route_names_opens_it(ids: dict[str, str]) -> None:
    for method, path, scope in ROUTES:
        answer = send(method, path, ids, scopes=[scope])
        # Nobody has run a backtest here: it is looked for, and is not there.
        missing = answer.status == 404 and path.startswith("/backtests/") and "{id}" in path
        assert missing or answer.status not in (401, 403, 404), f"{method} {path}: {answer.text}"


def test_a_key_of_another_portfolio_is_refused_by_name_and_finds_nothing_by_id(
    ids: dict[str, str],
) -> None:
    before = books()
    for method, path, scope in ROUTES:
        of_portfolios = path.split("/")[1] in PORTFOLIOS
        spans = method == "get" and path in SPANNING
        if scope == "metrics:read" or spans or not of_portfolios:
            continue
        refused = send(method, path, ids, portfolios=["other"])
        assert refused.status == (404 if "{id}" in path else 403), f"{method} {path}"
        assert refused.headers["content-type"] == "application/problem+json"
    for path in SPANNING:
        assert good("GET", path, portfolios=["other"])["items"] == []
    assert books() == before


@pytest.mark.parametrize(
    "prefix", ["/orders", "/recommendations", "/portfolio", "/risk", "/backtests"]
)
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
