"""DynamoDB's answers that no emulator gives, and the bounds of paging."""

from __future__ import annotations

import itertools
import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import Stubber
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.aws import RESOURCES
from trading.adapters.dynamodb.store import (
    INDEX_PREFIX,
    MAX_ROUNDS,
    ConditionFailed,
    Range,
    Store,
    put,
    put_new,
)
from trading.client_config import TRIES, client_config
from trading.domain.errors import ConcurrentUpdate, Throttled, Unavailable

PARTITIONS = itertools.count()
WRITES = [put("first", "T", {"pk": "a", "sk": "a"}), put_new("second", "T", {"pk": "b", "sk": "b"})]


@pytest.fixture
def stubbed(environment: pytest.MonkeyPatch) -> tuple[Store, Stubber]:
    client = boto3.client("dynamodb")
    stubber = Stubber(client)
    stubber.activate()
    return Store(client), stubber


def cancelled(stubber: Stubber, *codes: str) -> None:
    stubber.add_client_error(
        "transact_write_items",
        "TransactionCanceledException",
        modeled_fields={"CancellationReasons": [{"Code": code} for code in codes]},
    )


def test_a_failed_guard_is_named(stubbed: tuple[Store, Stubber]) -> None:
    store, stubber = stubbed
    cancelled(stubber, "None", "ConditionalCheckFailed")
    with pytest.raises(ConditionFailed) as caught:
        store.transact(WRITES)
    assert caught.value.names == ("second",)


def test_a_conflict_is_a_concurrent_update(stubbed: tuple[Store, Stubber]) -> None:
    store, stubber = stubbed
    cancelled(stubber, "TransactionConflict", "None")
    with pytest.raises(ConcurrentUpdate):
        store.transact(WRITES)


def test_a_transaction_that_still_is_under_way_is_to_be_read_again(
    stubbed: tuple[Store, Stubber],
) -> None:
    store, stubber = stubbed
    stubber.add_client_error("transact_write_items", "TransactionInProgressException")
    with pytest.raises(ConcurrentUpdate):
        store.transact(WRITES)


@pytest.mark.parametrize("code", ["ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_transaction_that_throttles_says_so(stubbed: tuple[Store, Stubber], code: str) -> None:
    store, stubber = stubbed
    cancelled(stubber, code, "None")
    with pytest.raises(Throttled):
        store.transact(WRITES)


@pytest.mark.parametrize(
    "code",
    ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"],
)
def test_a_table_that_throttles_says_so(stubbed: tuple[Store, Stubber], code: str) -> None:
    store, stubber = stubbed
    stubber.add_client_error("get_item", code)
    with pytest.raises(Throttled):
        store.get("T", {"pk": "a", "sk": "a"})


def test_a_batch_that_is_never_done_counts_as_throttling(
    stubbed: tuple[Store, Stubber], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, stubber = stubbed
    pauses: list[float] = []
    monkeypatch.setattr("trading.deadline.time.sleep", pauses.append)
    key: dict[str, Any] = {"pk": {"S": "a"}, "sk": {"S": "a"}}
    rest = {"T": {"Keys": [key], "ConsistentRead": True}}
    for _ in range(MAX_ROUNDS):
        stubber.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": rest})
    with pytest.raises(Throttled):
        store.get_many([("T", {"pk": "a", "sk": "a"})])
    assert len(pauses) == MAX_ROUNDS
    stubber.assert_no_pending_responses()


def test_a_transaction_sent_again_by_the_client_carries_the_same_token(
    environment: pytest.MonkeyPatch,
) -> None:
    """The service counts what comes twice under one token once, so a lost answer costs nothing."""
    client = boto3.client("dynamodb", config=client_config())
    tokens = []

    def no_answer(request: Any, **_: Any) -> None:
        tokens.append(json.loads(request.body)["ClientRequestToken"])
        raise ReadTimeoutError(endpoint_url=request.url)

    client.meta.events.register("before-send.dynamodb.TransactWriteItems", no_answer)
    environment.setattr("botocore.endpoint.time.sleep", lambda _: None)
    with pytest.raises(Unavailable):
        Store(client).transact(WRITES)
    assert len(tokens) == TRIES
    assert len(set(tokens)) == 1


def test_a_failed_guard_counts_more_than_a_conflict(stubbed: tuple[Store, Stubber]) -> None:
    store, stubber = stubbed
    cancelled(stubber, "TransactionConflict", "ConditionalCheckFailed")
    with pytest.raises(ConditionFailed):
        store.transact(WRITES)


def test_any_other_refusal_is_unavailable(stubbed: tuple[Store, Stubber]) -> None:
    store, stubber = stubbed
    cancelled(stubber, "ValidationError", "None")
    with pytest.raises(Unavailable):
        store.transact(WRITES)
    stubber.add_client_error("get_item", "ResourceNotFoundException")
    with pytest.raises(Unavailable):
        store.get("T", {"pk": "a", "sk": "a"})
    stubber.add_client_error("put_item", "TransactionConflictException")
    with pytest.raises(ConcurrentUpdate):
        store.put_item("T", {"pk": "a", "sk": "a"})


def test_what_a_batch_left_out_is_asked_for_again(stubbed: tuple[Store, Stubber]) -> None:
    store, stubber = stubbed
    key: dict[str, Any] = {"pk": {"S": "a"}, "sk": {"S": "a"}}
    rest = {"T": {"Keys": [key], "ConsistentRead": True}}
    stubber.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": rest})
    stubber.add_response("batch_get_item", {"Responses": {"T": [key]}, "UnprocessedKeys": {}})
    assert store.get_many([("T", {"pk": "a", "sk": "a"})]) == {
        ("T", "a", "a"): {"pk": "a", "sk": "a"}
    }


def test_every_index_of_the_template_is_known_with_its_keys() -> None:
    for name, resource in RESOURCES.items():
        if resource["Type"] != "AWS::DynamoDB::Table":
            continue
        for index in resource["Properties"].get("GlobalSecondaryIndexes", []):
            names = [key["AttributeName"] for key in index["KeySchema"]]
            prefix = INDEX_PREFIX[index["IndexName"]]
            assert names == [f"{prefix}_pk", f"{prefix}_sk"], name


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    names=st.sets(st.text("abcXYZ019#-:.", min_size=1, max_size=6), min_size=1, max_size=12),
    limit=st.integers(1, 5),
    above=st.sampled_from([None, "Q", "~"]),
)
def test_paging_backwards_gives_every_item_once_in_order(
    account: None, names: set[str], limit: int, above: str | None
) -> None:
    """From the newest, or from a place above all of them that no page gave."""
    store = Store(boto3.client("dynamodb"))
    partition = next(PARTITIONS)
    store.put_many("MarketTable", [{"pk": str(partition), "sk": f"P#{n}"} for n in names])
    store.put_many("MarketTable", [{"pk": str(partition), "sk": s} for s in ("O", "Q")])
    seen: list[str] = []
    before = above
    while page := store.query(
        "MarketTable",
        str(partition),
        Range(prefix="P#"),
        before=before,
        limit=limit,
        newest_first=True,
        consistent=True,
    ):
        seen += [item["sk"] for item in page]
        before = seen[-1]
    assert seen == sorted((f"P#{n}" for n in names), reverse=True)
