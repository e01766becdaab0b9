"""Every request to write is in the audit trail: who, what, when, from where, and the answer."""

import datetime as dt
from typing import Any

import pytest

from tests.support.aws import RESOURCES
from tests.support.floor import call, good, open_floor, order, place
from tests.support.http import Context, proxy_event

TABLE = "AuditTable"


@pytest.fixture(autouse=True)
def floor(account: None) -> None:
    open_floor()


def trail(**query: str) -> list[dict[str, Any]]:
    text = "&".join(f"{k}={v}" for k, v in ({"key_id": "testkey"} | query).items())
    items: list[dict[str, Any]] = good("GET", f"/keys/audit?{text}")["items"]
    return items


def test_a_write_tells_who_what_when_from_where_and_what_came_of_it() -> None:
    before = dt.datetime.now(dt.UTC)
    assert place(key="mine").status == 201
    newest = trail()[0]
    assert before <= dt.datetime.fromisoformat(newest.pop("asked_at"))
    assert before <= dt.datetime.fromisoformat(newest.pop("answered_at"))
    assert newest == {
        "key_id": "testkey",
        "key_generation": 1,
        "source": "203.0.113.7",
        "user_agent": "",
        "method": "POST",
        "path": "/orders",
        "idempotency_key": "mine",
        "correlation_id": "req-1",
        "status": 201,
    }


def test_what_is_only_read_is_not_in_it() -> None:
    before = len(trail())
    call("GET", "/orders")
    call("GET", "/portfolio/main")
    assert len(trail()) == before


@pytest.mark.parametrize(
    ("body", "scopes", "status"),
    [
        (order("-1"), None, 422),
        (order("1000000"), None, 422),
        (order(), ["execution:read"], 403),
        ("{", None, 400),
    ],
)
def test_what_is_refused_is_in_it(body: Any, scopes: list[str] | None, status: int) -> None:
    more = {"scopes": scopes} if scopes else {}
    assert call("POST", "/orders", body, key="k", **more).status == status
    assert trail()[0]["status"] == status


def test_a_repeat_is_in_it_too() -> None:
    before = len(trail())
    assert place(key="same").text == place(key="same").text
    assert [entry["status"] for entry in trail()[: len(trail()) - before]] == [201, 201]


def test_nothing_is_done_that_cannot_be_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    from trading import bootstrap
    from trading.domain.errors import Unavailable

    def broken(*_: object) -> None:
        raise Unavailable("the table does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(bootstrap.audit_trail(), "asked", broken)
        answer = place(key="later")
    assert answer.status == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["content-type"] == "application/problem+json"
    assert good("GET", "/orders")["items"] == []
    assert place(key="later").status == 201


def test_an_answer_that_cannot_be_noted_leaves_the_request_noted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from trading import bootstrap
    from trading.domain.errors import Unavailable

    def broken(*_: object) -> None:
        raise Unavailable("the table does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(bootstrap.audit_trail(), "answered", broken)
        assert place(key="done").status == 201
    entry = trail()[0]
    assert (entry["idempotency_key"], entry["status"], entry["answered_at"]) == ("done", None, None)


def test_two_requests_with_one_correlation_id_are_two_entries() -> None:
    before = len(trail())
    for _ in range(2):
        good("POST", "/orders/reconcile", {}, headers={"X-Correlation-Id": "same"})
    assert [e["correlation_id"] for e in trail()[: len(trail()) - before]] == ["same", "same"]


def test_it_is_read_page_by_page_without_a_gap() -> None:
    for index in range(7):
        place("1", key=f"p{index}")
    whole = trail(limit="200")
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        page = good("GET", f"/keys/audit?key_id=testkey&limit=3{more}")
        found, cursor = found + page["items"], page["cursor"]
    assert found == whole
    assert len(whole) == 11  # the floor's four writes and seven orders


def test_it_can_be_asked_for_a_span_of_time() -> None:
    place("1", key="first")
    between = trail()[0]["asked_at"].replace("+00:00", "Z")
    place("1", key="second")
    assert [e["idempotency_key"] for e in trail(start=between)] == ["second", "first"]
    assert "first" not in [e["idempotency_key"] for e in trail(end=between)]


def test_without_a_key_it_covers_every_key_that_was_ever_made() -> None:
    made = good("POST", "/keys", {"name": "n", "scopes": ["execution:write"]}, key="k")
    event = proxy_event("POST", "/orders", order(), {"Idempotency-Key": "x"}, key_id=made["id"])
    from execution.handler import api

    assert api(event, Context())["statusCode"] == 201
    found = good("GET", "/keys/audit")["items"]
    assert [entry["key_id"] for entry in found] == [made["id"]]


def test_it_needs_the_administrator_s_scope() -> None:
    assert call("GET", "/keys/audit", scopes=["metrics:read", "execution:write"]).status == 403


def test_a_note_is_never_overwritten(account: None) -> None:
    from trading import bootstrap
    from trading.domain.audit import AuditEntry

    entry = AuditEntry(
        request_id="r",
        key_id="k",
        generation=1,
        source="s",
        user_agent="",
        method="POST",
        path="/first",
        idempotency_key=None,
        correlation_id="c",
        asked_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    )
    bootstrap.audit_trail().asked(entry)
    bootstrap.audit_trail().asked(entry.model_copy(update={"path": "/second"}))
    ((_, kept),) = bootstrap.audit_trail().newest("k", 10)
    assert kept.path == "/first"


def test_no_role_may_change_or_delete_it() -> None:
    for name, resource in RESOURCES.items():
        if resource["Type"] != "AWS::IAM::Role":
            continue
        for policy in resource["Properties"]["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                if TABLE in str(statement["Resource"]):
                    assert set(statement["Action"]) <= {"dynamodb:PutItem", "dynamodb:Query"}, name
