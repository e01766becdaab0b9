"""The same request twice."""

import asyncio
import threading
import time
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from tests.api.demo import Hooks, api
from tests.support.http import Answer, Context, invoke
from trading.api import idempotency
from trading.domain.errors import NotFound, Unavailable


@pytest.fixture(autouse=True)
def _account(account: None) -> None:
    """Every test has its own empty tables."""


def once(body: Any, key: str | None = "a", path: str = "/things/p/once", **more: Any) -> Answer:
    headers = {} if key is None else {"Idempotency-Key": key}
    return invoke(api, "POST", path, body, headers, **more)


def test_a_repeat_gives_the_same_answer_and_does_nothing() -> None:
    first, second = once({"amount": "1.50"}), once({"amount": 1.5})
    assert (first.status, first.text) == (second.status, second.text)
    assert second.status == 201
    assert Hooks.calls == 1


def test_another_body_under_the_same_key_is_a_422_problem() -> None:
    once({"amount": 1})
    answer = once({"amount": 2})
    assert answer.status == 422
    assert answer.json["type"] == "urn:trading:problem:idempotency-conflict"
    assert Hooks.calls == 1


@pytest.mark.parametrize(
    "other",
    [{"key": "b"}, {"path": "/things/q/once"}, {"path": "/things/p/maybe"}, {"key_id": "other"}],
)
def test_a_key_counts_per_text_path_and_caller(other: dict[str, str]) -> None:
    once({"amount": 1})
    assert once({"amount": 2}, **other).status == 201
    assert Hooks.calls == 2


def test_an_error_is_not_kept() -> None:
    def fail() -> None:
        raise Unavailable("down")

    Hooks.action = staticmethod(fail)
    assert once({"amount": 1}).status == 503
    Hooks.action = staticmethod(lambda: None)
    assert once({"amount": 1}).status == 201


def test_a_route_with_an_optional_key_acts_every_time_without_one() -> None:
    for _ in range(2):
        assert once({"amount": 1}, None, "/things/p/maybe").status == 201
    assert Hooks.calls == 2


@pytest.mark.parametrize("key", ["", "a b", "x" * 129, "é"])
def test_a_key_that_is_not_printable_ascii_is_rejected(key: str) -> None:
    answer = once({"amount": 1}, key)
    assert answer.status == 422
    assert answer.json["errors"][0]["field"] == "Idempotency-Key"


def test_a_repeat_during_the_first_waits_for_its_answer() -> None:
    record = _taken({"amount": 1})
    finish = threading.Timer(
        0.5, lambda: record.table.save_success(record.data, {"status": 201, "body": '{"n":1}'})
    )
    finish.start()
    answer = once({"amount": 1})
    finish.join()
    assert answer.json == {"n": 1}
    assert Hooks.calls == 0


def test_a_repeat_gives_up_when_the_first_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", 0.2)
    _taken({"amount": 1})
    answer = once({"amount": 1})
    assert answer.status == 409
    assert answer.json["type"] == "urn:trading:problem:conflict"
    assert answer.headers["retry-after"] == "1"
    assert Hooks.calls == 0


def test_the_record_of_a_worker_that_died_expires_with_its_invocation() -> None:
    _taken({"amount": 1}, remaining_ms=300)
    time.sleep(0.4)
    assert once({"amount": 1}).status == 201


def test_a_record_is_kept_for_a_day() -> None:
    once({"amount": 1})
    (item,) = boto3.client("dynamodb").scan(TableName="IdempotencyTable")["Items"]
    assert 86_000 < int(item["expiration"]["N"]) - time.time() <= 86_400


def test_an_answer_that_cannot_be_kept_is_given_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was done stands; the same request acts, and notices, again."""
    _broken(monkeypatch, "save_success")
    answer = once({"amount": 1})
    assert answer.status == 201
    assert Hooks.calls == 1


def test_an_error_is_answered_as_itself_though_its_key_cannot_be_freed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> None:
        raise NotFound("thing", "p")

    _broken(monkeypatch, "delete_record")
    Hooks.action = staticmethod(fail)
    assert once({"amount": 1}).status == 404


def test_a_repeat_does_not_wait_beyond_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    _taken({"amount": 1})
    monkeypatch.setattr(Context, "get_remaining_time_in_millis", lambda _: 2_300)
    begun = time.monotonic()
    answer = once({"amount": 1})
    assert (answer.status, answer.headers["retry-after"]) == (409, "1")
    assert time.monotonic() - begun < 1


def test_concurrent_twins_have_one_effect_and_one_answer() -> None:
    """The first to come acts; the others wait for it and give its answer."""
    started, gate = threading.Event(), threading.Event()

    def slow() -> None:
        started.set()
        assert gate.wait(5)

    Hooks.action = staticmethod(slow)
    answers: list[Answer] = []

    def ask() -> None:
        asyncio.set_event_loop(loop := asyncio.new_event_loop())
        answers.append(once({"amount": 1}))
        loop.close()

    twins = [threading.Thread(target=ask) for _ in range(4)]
    twins[0].start()
    assert started.wait(5)
    for twin in twins[1:]:
        twin.start()
    gate.set()
    for twin in twins:
        twin.join()
    assert Hooks.calls == 1
    assert {(a.status, a.text) for a in answers} == {(201, answers[0].text)}
    assert len(answers) == 4


def test_a_table_that_does_not_answer_is_a_503_problem() -> None:
    boto3.client("dynamodb").delete_table(TableName="IdempotencyTable")
    assert once({"amount": 1}).status == 503
    assert Hooks.calls == 0


def _broken(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    """Let one call of the persistence layer find no table."""

    def no_answer(*_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://aws.example.test")

    monkeypatch.setattr(idempotency._table(), method, no_answer)


def _taken(body: dict[str, Any], remaining_ms: int = 20_000) -> idempotency._Record:
    """Leave the key "a" as a request under way would."""
    from tests.api.demo import Thing

    identity = ["POST", "/things/p/once", "testkey", "a"]
    data = {"key": identity, "body": Thing(**body).model_dump(mode="json")}
    record = idempotency._Record(idempotency._table(), data)
    record.table.save_inprogress(data, remaining_ms)
    return record
