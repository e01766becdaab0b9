"""What the deployed functions log: every call, who made it, and no secret of anybody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.stack.test_queue import eventually
from tests.stack.trading_floor import buy, open_floor
from tests.support.local_stack import LocalStack

FORGED = "tk_019f0000000a1b2c3d4e5_" + "5ec2e7" * 10 + "5ec2"


@pytest.fixture(scope="module")
def client(stack: LocalStack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.api_url, timeout=60, trust_env=False) as client:
        yield client


def lines(stack: LocalStack) -> list[str]:
    """Every line that every function has logged so far."""
    logs = stack.client("logs")
    found = []
    for group in logs.get_paginator("describe_log_groups").paginate():
        for described in group["logGroups"]:
            pages = logs.get_paginator("filter_log_events").paginate(
                logGroupName=described["logGroupName"]
            )
            found += [event["message"] for page in pages for event in page["events"]]
    return found


def structured(stack: LocalStack) -> list[dict[str, Any]]:
    found = []
    for text in lines(stack):
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict):
            found.append(line)
    return found


@pytest.fixture(scope="module")
def secrets(stack: LocalStack, client: httpx.Client) -> dict[str, str]:
    """A run from keys to a fill, by HTTPS; the secrets that it used."""
    admin = stack.key()
    headers = {"X-TRADING-API-KEY": admin}
    with stack.api(admin) as api:
        open_floor(api, "logged", "LOGGED", {})
        made = client.post(
            "/keys",
            headers=headers | {"Idempotency-Key": "logs-key"},
            json={"name": "logs", "scopes": ["recommendations:write", "execution:read"]},
        ).json()
        turned = client.post(
            f"/keys/{made['id']}/rotate", headers=headers, json={"overlap_seconds": 600}
        ).json()
        old, new = ({"X-TRADING-API-KEY": k["key"]} for k in (made, turned))
        assert client.get("/orders", headers=old | {"X-Correlation-Id": "by-old"}).is_success
        assert client.get("/orders", headers=new | {"X-Correlation-Id": "by-new"}).is_success
        told = client.post(
            "/recommendations",
            headers=new | {"Idempotency-Key": "logs-r", "X-Correlation-Id": "to-the-fill"},
            json=buy("logged", "LOGGED", "1"),
        )
        assert told.status_code == 201, told.text
        path = f"/recommendations/{told.json()['id']}"
        eventually(lambda: api.get(path)["execution_status"] == "executed", "the execution")
    wrong = {"X-TRADING-API-KEY": FORGED}
    assert client.get("/orders", headers=wrong).status_code == 401
    in_address = client.get(f"/orders?key={admin}", headers={"X-TRADING-API-KEY": admin})
    assert in_address.status_code < 500
    return {"admin": admin, "old": made["key"], "new": turned["key"], "forged": FORGED}


def test_no_secret_is_in_any_log(stack: LocalStack, secrets: dict[str, str]) -> None:
    text = "\n".join(lines(stack))
    assert "to-the-fill" in text
    for name, key in secrets.items():
        secret = key.rsplit("_", 1)[1]
        assert len(secret) >= 40
        assert secret not in text, name


def test_a_key_s_two_secrets_are_told_apart(stack: LocalStack, secrets: dict[str, str]) -> None:
    by = {line["correlation_id"]: line for line in structured(stack) if "correlation_id" in line}
    key_id = secrets["old"].split("_")[1]
    assert secrets["new"].split("_")[1] == key_id
    assert (by["by-old"]["key_id"], by["by-old"]["key_generation"]) == (key_id, 1)
    assert (by["by-new"]["key_id"], by["by-new"]["key_generation"]) == (key_id, 2)


def test_one_id_runs_from_the_request_to_the_fill(
    stack: LocalStack, secrets: dict[str, str]
) -> None:
    chain = [x for x in structured(stack) if x.get("correlation_id") == "to-the-fill"]
    assert {"recommendations", "execution"} <= {line["service"] for line in chain}
    (done,) = [line for line in chain if line["message"] == "recommendation executed"]
    assert done["portfolio_id"] == "logged"
    assert done["order_id"].startswith("ord_")


def test_the_audit_trail_has_the_run(
    stack: LocalStack, client: httpx.Client, secrets: dict[str, str]
) -> None:
    key_id = secrets["new"].split("_")[1]
    answer = client.get(
        "/keys/audit", params={"key_id": key_id}, headers={"X-TRADING-API-KEY": secrets["admin"]}
    )
    (entry,) = answer.json()["items"]
    assert (entry["method"], entry["path"], entry["status"]) == ("POST", "/recommendations", 201)
    assert entry["key_generation"] == 2
    assert entry["correlation_id"] == "to-the-fill"
