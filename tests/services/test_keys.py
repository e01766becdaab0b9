"""The life of an API key over HTTPS."""

from typing import Any

import boto3
import pytest

from keys.handler import api
from tests.support.http import Answer, invoke

GOOD = {"name": "bot", "scopes": ["market:read", "execution:write"], "portfolios": ["p1"]}


@pytest.fixture(autouse=True)
def _account(account: None) -> None:
    """Every test has its own empty tables."""


def create(body: Any = GOOD, idempotency: str = "k1", **options: Any) -> Answer:
    return invoke(api, "POST", "/keys", body, {"Idempotency-Key": idempotency}, **options)


def rotate(key_id: str, body: Any) -> Answer:
    return invoke(api, "POST", f"/keys/{key_id}/rotate", body)


def listed(query: str = "") -> Any:
    return invoke(api, "GET", f"/keys{query}").json


def everything_stored() -> str:
    client = boto3.client("dynamodb")
    return "".join(
        str(client.scan(TableName=table)["Items"]) for table in ("KeysTable", "IdempotencyTable")
    )


def test_a_new_key_is_shown_with_its_rights() -> None:
    answer = create()
    assert answer.status == 201
    shown = answer.json
    assert shown["key"].startswith(f"tk_{shown['id']}_")
    assert len(shown["key"].split("_")[2]) == 64
    assert shown["scopes"] == ["execution:write", "market:read"]
    assert shown["portfolios"] == ["p1"]
    assert shown["generation"] == 1
    assert shown["revoked_at"] is None


def test_the_secret_is_stored_nowhere() -> None:
    secret = create().json["key"].split("_")[2]
    assert secret not in everything_stored()


def test_a_repeat_answers_the_same_key_without_its_text() -> None:
    first, second = create(), create()
    assert second.status == 201
    assert second.json == {**first.json, "key": None}
    assert len(listed()["items"]) == 1


def test_a_repeat_with_another_body_is_rejected() -> None:
    create()
    answer = create({**GOOD, "name": "other"})
    assert answer.status == 422
    assert answer.json["type"] == "urn:trading:problem:idempotency-conflict"
    assert len(listed()["items"]) == 1


def test_the_list_shows_neither_secret_nor_hash() -> None:
    create()
    (item,) = listed()["items"]
    assert not {"key", "secret", "secret_hash", "previous_hash"} & item.keys()


def test_pages_follow_each_other_newest_first_without_gaps() -> None:
    made = [create({**GOOD, "name": f"k{i}"}, f"k{i}").json for i in range(5)]
    names, cursor = [], ""
    while True:
        page = listed(f"?limit=2{cursor}")
        names += [item["id"] for item in page["items"]]
        if page["cursor"] is None:
            break
        cursor = f"&cursor={page['cursor']}"
    assert names == sorted((key["id"] for key in made), reverse=True)


@pytest.mark.parametrize("query", ["?limit=0", "?limit=101", "?limit=x", "?cursor=%21", "?cursor="])
def test_a_bad_page_request_is_rejected(query: str) -> None:
    assert invoke(api, "GET", f"/keys{query}").status == 422


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"scopes": ["market:own"]}, "market:own"),
        ({"scopes": []}, "scopes"),
        ({"scopes": "market:read"}, "scopes"),
        ({"portfolios": []}, "portfolios"),
        ({"portfolios": ["NOT OK"]}, "portfolios.0"),
        ({"portfolios": ["a,b"]}, "portfolios.0"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2999-01-01T00:00:00"}, "expires_at"),
        ({"name": ""}, "name"),
        ({"admin": True}, "admin"),
    ],
)
def test_a_bad_key_request_names_the_field_and_makes_nothing(
    change: dict[str, Any], named: str
) -> None:
    answer = create({**GOOD, **change})
    assert answer.status == 422
    assert named in answer.text
    assert listed()["items"] == []


def test_a_failed_request_may_be_corrected_under_the_same_idempotency_key() -> None:
    assert create({**GOOD, "scopes": ["market:own"]}).status == 422
    assert create().status == 201


def test_making_a_key_needs_an_idempotency_key() -> None:
    answer = invoke(api, "POST", "/keys", GOOD)
    assert answer.status == 422
    assert answer.json["errors"][0]["field"] == "Idempotency-Key"


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/keys"), ("GET", "/keys"), ("POST", "/keys/x/rotate"), ("DELETE", "/keys/x")],
)
def test_every_route_needs_the_scope_keys_admin(method: str, path: str) -> None:
    answer = invoke(api, method, path, {}, scopes=["market:read", "metrics:read"])
    assert answer.status == 403
    assert "keys:admin" in answer.json["detail"]


def test_a_rotation_shows_a_new_text_and_until_when_the_old_one_lasts() -> None:
    before = create().json
    after = rotate(before["id"], {"overlap_seconds": 600}).json
    assert after["key"] not in (None, before["key"])
    assert after["id"] == before["id"]
    assert after["generation"] == 2
    assert after["previous_valid_until"] > after["rotated_at"]


@pytest.mark.parametrize("overlap", [-1, 604_801, "long", 1.5, True])
def test_an_overlap_outside_its_range_is_rejected(overlap: Any) -> None:
    key_id = create().json["id"]
    assert rotate(key_id, {"overlap_seconds": overlap}).status == 422


def test_a_revoked_key_stays_listed_and_cannot_be_rotated() -> None:
    key_id = create().json["id"]
    assert invoke(api, "DELETE", f"/keys/{key_id}").status == 204
    revoked_at = listed()["items"][0]["revoked_at"]
    assert revoked_at is not None
    assert rotate(key_id, {}).status == 409
    assert invoke(api, "DELETE", f"/keys/{key_id}").status == 204
    assert listed()["items"][0]["revoked_at"] == revoked_at


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/keys/nothing/rotate"), ("DELETE", "/keys/nothing")]
)
def test_a_key_that_does_not_exist_is_not_found(method: str, path: str) -> None:
    answer = invoke(api, method, path, {})
    assert answer.status == 404
    assert answer.json["detail"] == "there is no key 'nothing'"


def test_health_names_its_table_and_needs_no_key() -> None:
    answer = invoke(api, "GET", "/keys/health", scopes=None)
    assert answer.status == 200
    assert answer.json["checks"]["keys_table"]["status"] == "ok"


def test_health_is_503_when_the_table_is_gone() -> None:
    boto3.client("dynamodb").delete_table(TableName="KeysTable")
    answer = invoke(api, "GET", "/keys/health", scopes=None)
    assert answer.status == 503
    assert answer.json["status"] == "degraded"


def test_metrics_are_prometheus_text() -> None:
    answer = invoke(api, "GET", "/keys/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "trading_keys_up 1\n" in answer.text
