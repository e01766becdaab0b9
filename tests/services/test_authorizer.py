"""Who passes the authorizer, and what the services learn of them."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from authorizer import handler
from tests.support.aws import ROOT
from tests.support.http import Context
from trading import bootstrap
from trading.auth import attempts
from trading.auth.attempts import Attempts
from trading.auth.issue import issue, rotate

ARN = "arn:aws:execute-api:us-east-1:123456789012:abc/dev/GET/portfolio/p1"
NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def _account(account: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test has its own empty tables, and nobody has tried anything."""
    monkeypatch.setattr(handler, "_attempts", Attempts())


def decide(key: str | None, header: str = "X-TRADING-API-KEY") -> dict[str, Any]:
    headers = {} if key is None else {header: key}
    return handler.authorize({"type": "REQUEST", "methodArn": ARN, "headers": headers}, Context())


def refused(key: str | None) -> bool:
    with pytest.raises(Exception, match=r"^Unauthorized$") as error:
        decide(key)
    return type(error.value) is Exception


def a_key(**options: Any) -> str:
    record, text = issue("k", ["market:read", "risk:write"], NOW, **options)
    bootstrap.api_keys().add(record)
    return text


def test_a_valid_key_is_allowed_the_whole_stage_and_nothing_beyond() -> None:
    answer = decide(a_key())
    assert answer["policyDocument"]["Statement"] == [
        {
            "Action": "execute-api:Invoke",
            "Effect": "Allow",
            "Resource": "arn:aws:execute-api:us-east-1:123456789012:abc/dev/*",
        }
    ]


def test_the_context_carries_scopes_portfolios_and_generation_as_strings() -> None:
    key = a_key(portfolios=["p2", "p1"])
    assert decide(key)["context"] == {
        "key_id": key.split("_")[1],
        "scopes": "market:read risk:write",
        "portfolios": "p1,p2",
        "generation": "1",
    }


def test_an_unbound_key_has_a_star_for_its_portfolios() -> None:
    assert decide(a_key())["context"]["portfolios"] == "*"


@pytest.mark.parametrize("header", ["x-trading-api-key", "X-Trading-Api-Key"])
def test_the_header_is_found_in_any_case(header: str) -> None:
    assert decide(a_key(), header)["principalId"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda key: key[:-1] + ("0" if key[-1] != "0" else "1"),
        lambda key: key + "0",
        lambda key: key[:-1],
        lambda key: key.upper(),
        lambda key: key + "\n",
        lambda key: key.replace("tk_", "tk_0", 1),
        lambda key: key.replace("tk_", "", 1),
        lambda _: "",
        lambda _: None,
        lambda _: "tk__",
        lambda _: "tk_" + "a" * 5000,
    ],
)
def test_a_key_that_is_not_exactly_the_one_issued_is_refused(
    spoil: Callable[[str], str | None],
) -> None:
    assert refused(spoil(a_key()))


def test_an_expired_key_is_refused() -> None:
    record, text = issue("k", ["risk:read"], NOW - timedelta(hours=2), expires_at=NOW)
    bootstrap.api_keys().add(record)
    assert refused(text)


def test_a_revoked_key_is_refused() -> None:
    key = a_key()
    bootstrap.api_keys().revoke(key.split("_")[1], NOW)
    assert refused(key)


def test_after_a_rotation_both_secrets_pass_until_the_overlap_ends() -> None:
    before, old = issue("k", ["risk:read"], NOW)
    bootstrap.api_keys().add(before)
    after, new = rotate(before, timedelta(hours=5), NOW)
    bootstrap.api_keys().replace(before, after)
    assert decide(old)["context"]["generation"] == "1"
    assert decide(new)["context"]["generation"] == "2"


def test_a_rotation_without_overlap_ends_the_old_secret_at_once() -> None:
    before, old = issue("k", ["risk:read"], NOW)
    bootstrap.api_keys().add(before)
    after, new = rotate(before, timedelta(0), NOW)
    bootstrap.api_keys().replace(before, after)
    assert refused(old)
    assert decide(new)


def test_a_second_rotation_ends_the_first_secret_even_within_its_overlap() -> None:
    first, oldest = issue("k", ["risk:read"], NOW)
    bootstrap.api_keys().add(first)
    second, _ = rotate(first, timedelta(hours=1), NOW)
    third, _ = rotate(second, timedelta(hours=1), NOW)
    bootstrap.api_keys().replace(first, third)
    assert refused(oldest)


def test_the_secret_is_never_printed(capsys: pytest.CaptureFixture[str]) -> None:
    key = a_key()
    decide(key)
    with pytest.raises(Exception, match="Unauthorized"):
        decide(key[:-4] + "0000")
    assert key.split("_")[2][:16] not in capsys.readouterr().out


def test_the_authorizer_imports_no_heavy_framework() -> None:
    code = (
        "import sys, authorizer.handler;"
        "print([m for m in ('pydantic', 'fastapi', 'aws_lambda_powertools') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT / "functions",
        env={"PYTHONPATH": f"{ROOT / 'layers/shared'}:{ROOT / 'functions'}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def used(key: str) -> datetime | None:
    return bootstrap.api_keys().get(key.split("_")[1]).last_used_at


def test_a_keys_use_is_noted_once_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    key = a_key()
    assert used(key) is None
    decide(key)
    first = used(key)
    assert first is not None
    assert abs(first - datetime.now(UTC)) < timedelta(seconds=30)
    decide(key)
    assert used(key) == first
    late = datetime.now(UTC) + timedelta(hours=1, seconds=1)

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return late

    monkeypatch.setattr(handler, "datetime", Later)
    decide(key)
    assert used(key) == late


def test_a_refused_key_is_not_noted_as_used() -> None:
    key = a_key()
    assert refused(key[:-1] + ("0" if key[-1] != "0" else "1"))
    assert used(key) is None


def test_a_use_that_cannot_be_noted_keeps_nobody_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from botocore.exceptions import EndpointConnectionError

    key = a_key()

    def down(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="x")

    monkeypatch.setattr(handler._client(), "update_item", down)
    assert decide(key)["principalId"] == key.split("_")[1]
    assert "its use was not noted" in capsys.readouterr().out


def from_address(key: str, source: str) -> bool:
    """Whether a key passes when it comes from an address."""
    event = {
        "type": "REQUEST",
        "methodArn": ARN,
        "headers": {"X-TRADING-API-KEY": key},
        "requestContext": {"identity": {"sourceIp": source}},
    }
    try:
        handler.authorize(event, Context())
    except Exception as error:
        if str(error) != "Unauthorized":
            raise
        return False
    return True


def wrong(key: str) -> str:
    return key[:-1] + ("0" if key[-1] != "0" else "1")


def test_after_too_many_failures_a_key_is_not_looked_at_from_there_for_a_minute(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key, moment = a_key(), [1000.0]
    monkeypatch.setattr(handler.time, "monotonic", lambda: moment[0])
    for _ in range(attempts.MOST):
        assert not from_address(wrong(key), "203.0.113.9")
    reads: list[Any] = []
    real = handler._read
    monkeypatch.setattr(handler, "_read", lambda c: (reads.append(c), real(c))[1])
    assert not from_address(key, "203.0.113.9")
    assert reads == []
    assert from_address(key, "203.0.113.10")
    assert from_address(a_key(), "203.0.113.9")
    moment[0] += attempts.WINDOW_SECONDS + 1
    assert from_address(key, "203.0.113.9")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line[0] == "{"]
    failed = [line for line in lines if line.get("FailedAttempts")]
    assert len(failed) == attempts.MOST + 1
    assert {line["key_id"] for line in failed} == {key.split("_")[1]}
    metric = failed[0]["_aws"]["CloudWatchMetrics"][0]
    assert metric["Metrics"] == [{"Name": "FailedAttempts", "Unit": "Count"}]
    assert not any(key.split("_")[2] in str(line) for line in lines)


def test_an_address_that_tries_many_keys_is_refused_whatever_it_sends() -> None:
    key = a_key()
    for _ in range(attempts.MOST_FROM_ONE_ADDRESS):
        assert not from_address("nonsense", "203.0.113.9")
    assert not from_address(key, "203.0.113.9")
    assert from_address(key, "203.0.113.10")


def test_what_is_remembered_of_attempts_is_bounded() -> None:
    seen = Attempts()
    for i in range(attempts.REMEMBERED + 500):
        seen.failed(None, f"address {i}", 0.0)
    assert len(seen._failures) == attempts.REMEMBERED
