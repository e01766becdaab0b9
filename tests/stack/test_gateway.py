"""Every route of the OpenAPI document through the deployed gateway, with and without a key."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.aws import RESOURCES, ROOT
from tests.support.local_stack import LocalStack

DOCUMENT: dict[str, Any] = json.loads((ROOT / "docs" / "openapi.json").read_text())
OPERATIONS = [
    (method.upper(), path, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method in ("get", "put", "post", "delete")
]
PRIVATE = [(m, p) for m, p, _ in OPERATIONS if not p.endswith("/health")]
HEALTH = [p for _, p, _ in OPERATIONS if p.endswith("/health")]
METRICS = [p for _, p, _ in OPERATIONS if p.endswith("/metrics")]
SAMPLES = {"{pid}": "nobody", "{symbol}": "ACME"}


def concrete(path: str) -> str:
    """Fill a path's parameters in."""
    identifier = {"orders": "ord_", "recommendations": "rec_"}.get(path.split("/")[1], "")
    for name, value in (SAMPLES | {"{id}": identifier + "0" * 32}).items():
        path = path.replace(name, value)
    return path


@pytest.fixture(scope="module")
def client(stack: LocalStack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.api_url, timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def headers(stack: LocalStack) -> dict[str, str]:
    return {"X-TRADING-API-KEY": stack.key()}


@pytest.mark.parametrize(("method", "path"), PRIVATE)
def test_no_route_but_health_answers_without_a_key(
    client: httpx.Client, method: str, path: str
) -> None:
    assert client.request(method, concrete(path)).status_code == 401


@pytest.mark.parametrize(("method", "path"), PRIVATE)
def test_every_route_is_deployed_and_lets_a_full_key_in(
    client: httpx.Client, headers: dict[str, str], method: str, path: str
) -> None:
    answer = client.request(method, concrete(path), headers=headers)
    assert answer.status_code not in (401, 403), answer.text
    assert answer.status_code < 500, answer.text


def test_a_wrong_key_is_refused(client: httpx.Client, headers: dict[str, str]) -> None:
    right = headers["X-TRADING-API-KEY"]
    wrong = right[:-1] + ("0" if right[-1] != "0" else "1")
    answer = client.get("/market/prices", headers={"X-TRADING-API-KEY": wrong})
    assert answer.status_code == 401


def test_a_key_without_the_scope_is_refused(stack: LocalStack, client: httpx.Client) -> None:
    reader = {"X-TRADING-API-KEY": stack.key(["market:read"])}
    assert client.get("/market/prices", headers=reader).status_code == 200
    refused = client.post("/market/prices", headers=reader, json={"prices": []})
    assert refused.status_code == 403
    assert refused.json()["type"].endswith("forbidden")


def test_a_key_bound_to_a_portfolio_sees_no_other(stack: LocalStack, client: httpx.Client) -> None:
    bound = {"X-TRADING-API-KEY": stack.key(["portfolio:read"], ["mine"])}
    assert client.get("/portfolio/mine", headers=bound).status_code == 404
    assert client.get("/portfolio/theirs", headers=bound).status_code == 403


@pytest.mark.parametrize("path", HEALTH)
def test_health_is_public_and_granular(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    assert all(check["status"] == "ok" for check in answer.json()["checks"].values())


@pytest.mark.parametrize("path", METRICS)
def test_metrics_are_prometheus_text(
    client: httpx.Client, headers: dict[str, str], path: str
) -> None:
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "# TYPE" in answer.text


def test_an_unknown_route_is_refused(client: httpx.Client, headers: dict[str, str]) -> None:
    assert client.get("/nowhere", headers=headers).status_code in (403, 404)


def test_a_revoked_key_passes_no_longer_than_the_gateway_remembers_it(
    stack: LocalStack, client: httpx.Client, headers: dict[str, str]
) -> None:
    authorizers = RESOURCES["Api"]["Properties"]["Auth"]["Authorizers"]
    remembered = authorizers["KeyAuthorizer"]["Identity"]["ReauthorizeEvery"]
    key = stack.key(["market:read"])
    sent = {"X-TRADING-API-KEY": key}
    never_seen = stack.key(["market:read"])
    assert client.get("/market/prices", headers=sent).status_code == 200
    for text in (key, never_seen):
        assert client.delete(f"/keys/{text.split('_')[1]}", headers=headers).status_code == 204
    began = time.monotonic()
    # One that the gateway has not seen is refused at once.
    fresh = client.get("/market/prices", headers={"X-TRADING-API-KEY": never_seen})
    assert fresh.status_code == 401
    while client.get("/market/prices", headers=sent).status_code == 200:
        assert time.monotonic() - began < remembered + 5
        time.sleep(1)
    assert client.get("/market/prices", headers=sent).status_code == 401
