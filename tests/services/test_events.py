"""Every event in ``events/`` is fed to the entry point that its name gives."""

import importlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.aws import ROOT
from tests.support.http import Context
from trading.auth import keys
from trading.domain.api_key import ApiKey

EVENTS = sorted((ROOT / "events").glob("*/*.json"))
EXAMPLE_KEY = json.loads((ROOT / "events/authorizer/authorize.valid.json").read_text())["headers"][
    "X-TRADING-API-KEY"
]


def _seed_example_key() -> None:
    from trading import bootstrap

    credential = keys.parse(EXAMPLE_KEY)
    assert credential is not None
    bootstrap.api_keys().add(
        ApiKey(
            id=credential.key_id,
            name="example",
            scopes=("keys:admin",),
            portfolios=None,
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
            secret_hash=keys.hash_secret(credential.secret),
        )
    )


def _run(path: Path) -> Any:
    entry_point = path.name.split(".")[0]
    handler = importlib.import_module(f"{path.parent.name}.handler")
    return getattr(handler, entry_point)(json.loads(path.read_text()), Context())


def _named(entry_point: str) -> list[Any]:
    found = [p for p in EVENTS if p.name.split(".")[0] == entry_point]
    return [pytest.param(p, id=f"{p.parent.name}/{p.stem}") for p in found]


@pytest.mark.parametrize("path", _named("api"))
def test_an_api_event_reaches_a_route_and_is_answered(path: Path, account: None) -> None:
    _seed_example_key()
    answer = _run(path)
    assert answer["statusCode"] < 500
    assert answer["statusCode"] not in (401, 403, 405)
    content_type = answer["headers"].get("content-type", "")
    if "json" in content_type:
        body = json.loads(answer["body"])
        assert "there is no route" not in body.get("detail", "")
    else:
        assert answer["statusCode"] == 204 or content_type.startswith("text/plain")


@pytest.mark.parametrize("path", _named("authorize"))
def test_the_authorizer_lets_the_example_key_pass_and_no_other(path: Path, account: None) -> None:
    _seed_example_key()
    if path.stem == "authorize.valid":
        statement = _run(path)["policyDocument"]["Statement"][0]
        assert statement["Effect"] == "Allow"
        return
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        _run(path)


@pytest.mark.parametrize(
    "path",
    [p for kind in ("schedule", "relay", "measure", "reconcile") for p in _named(f"on_{kind}")],
)
def test_a_schedule_event_is_answered_with_json(path: Path, account: None) -> None:
    assert isinstance(json.dumps(_run(path)), str)


@pytest.mark.parametrize("path", _named("on_run") + _named("on_sweep"))
def test_a_job_that_nobody_knows_is_not_tried_again(path: Path, account: None) -> None:
    answer = _run(path)
    assert answer.get("status") == "unknown" or answer == {"chunks": 0, "key": "", "rank": False}


@pytest.mark.parametrize("path", _named("on_recommendations"))
def test_a_queue_event_is_answered_message_by_message(path: Path, account: None) -> None:
    sent = {record["messageId"] for record in json.loads(path.read_text())["Records"]}
    failed = {entry["itemIdentifier"] for entry in _run(path)["batchItemFailures"]}
    assert failed <= sent


@pytest.mark.parametrize("path", _named("on_prices"))
def test_a_batch_of_prices_never_fails_on_what_it_cannot_read(path: Path, account: None) -> None:
    assert _run(path)["unreadable"] == (1 if "mixed" in path.name else 0)


def test_every_event_is_covered_by_a_test_above() -> None:
    known = (
        "api",
        "authorize",
        "on_schedule",
        "on_relay",
        "on_recommendations",
        "on_prices",
        "on_measure",
        "on_reconcile",
        "on_run",
        "on_sweep",
    )
    assert [p.name for p in EVENTS if p.name.split(".")[0] not in known] == []
