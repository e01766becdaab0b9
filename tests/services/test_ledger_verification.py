"""Whatever is changed in the stored books shows over HTTPS."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from tests.support.floor import call, good, open_floor, place
from trading.domain.ledger import LedgerTransaction

TABLE = "PortfolioTable"
COUNT = 4


@pytest.fixture(autouse=True)
def floor(account: None) -> None:
    open_floor(cost_method="fifo")
    place("10")
    place("4", "sell")
    note = {"type": "deposit", "currency": "USD", "amount": "5", "note": "saved"}
    good("POST", "/portfolio/main/holdings/update", note, key="a")


def items(prefix: str) -> list[dict[str, Any]]:
    """Stored items of the portfolio, by the beginning of their sort key."""
    found = boto3.client("dynamodb").query(
        TableName=TABLE,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
        ExpressionAttributeValues={":pk": {"S": "PORTFOLIO#main"}, ":sk": {"S": prefix}},
    )["Items"]
    assert found
    return found


def store(item: dict[str, Any]) -> None:
    boto3.client("dynamodb").put_item(TableName=TABLE, Item=item)


def drop(item: dict[str, Any]) -> None:
    key = {"pk": item["pk"], "sk": item["sk"]}
    boto3.client("dynamodb").delete_item(TableName=TABLE, Key=key)


def changed(value: Any) -> dict[str, Any]:
    """Another value of the same kind."""
    ((kind, content),) = (value or {"S": ""}).items()
    match kind:
        case "S":
            stamp = content.endswith("Z") and content[:2] == "20"
            return {"S": f"2001{content[4:]}" if stamp else f"{content}x"}
        case "N":
            return {"N": str(int(content) + 1)}
        case _:
            first = content[0]["M"]
            more = {"M": first | {"amount": {"N": "1"}, "commodity": {"S": "JPY"}}}
            return {"L": [*content, more]}


def check(query: str = "") -> Any:
    return good("GET", f"/portfolio/main/ledger{query}")["verification"]


def test_untouched_books_are_whole_page_by_page_and_all_at_once() -> None:
    whole = {"ok": True, "checked": COUNT, "first": 1, "last": COUNT, "complete": True}
    assert check() == whole | {"problem": None}
    assert check("?verify=true") == whole | {"problem": None}
    cursor, seen = "", []
    while cursor is not None:
        page = good("GET", f"/portfolio/main/ledger?limit=1{cursor and f'&cursor={cursor}'}")
        seen.append(page["verification"]["last"])
        assert (page["verification"]["ok"], page["verification"]["complete"]) == (True, False)
        cursor = page["cursor"]
    assert seen == [4, 3, 2, 1]


@pytest.mark.parametrize("at", range(COUNT))
def test_a_change_of_any_field_of_any_stored_transaction_shows(at: int) -> None:
    item = items("LEDGER#")[at]
    for field in LedgerTransaction.model_fields:
        store(item | {field: changed(item.get(field))})
        found = check()
        assert (found["ok"], bool(found["problem"])) == (False, True), field
        assert check("?verify=true")["ok"] is False, field
    store(item)
    assert check("?verify=true")["ok"] is True


@pytest.mark.parametrize("at", range(COUNT))
def test_a_transaction_that_was_taken_out_shows(at: int) -> None:
    drop(items("LEDGER#")[at])
    assert check()["ok"] is False


def test_a_transaction_that_was_put_in_at_the_end_shows() -> None:
    last = good("GET", "/portfolio/main/ledger")["items"][0]
    from trading.adapters.dynamodb import keys
    from trading.adapters.dynamodb.codec import encode, to_attributes
    from trading.desk import desk

    newest = desk().portfolios.ledger("main")[-1]
    more = {"sequence": COUNT + 1, "previous_hash": last["hash"]}
    forged = newest.model_copy(update=more).sealed()
    store(to_attributes(encode(forged) | keys.ledger("main", COUNT + 1)))
    assert "no transaction after number 4" in check()["problem"]
    assert check("?verify=true")["ok"] is False


def test_a_forged_page_is_seen_on_the_pages_beside_it() -> None:
    item = items("LEDGER#")[1]
    store(item | {"note": {"S": "forged"}})
    pages, cursor = [], ""
    while cursor is not None:
        page = good("GET", f"/portfolio/main/ledger?limit=1{cursor and f'&cursor={cursor}'}")
        pages.append(page["verification"]["ok"])
        cursor = page["cursor"]
    assert pages[2] is False
    assert pages[0] is True


@pytest.mark.parametrize(
    ("prefix", "field", "value"),
    [
        ("ACCOUNT", "cash", {"M": {"USD": {"N": "1000000"}}}),
        ("ACCOUNT", "capital", {"M": {"USD": {"N": "1"}}}),
        ("ACCOUNT", "income", {"M": {"USD": {"N": "1"}}}),
        ("ACCOUNT", "ledger_hash", {"S": "0" * 64}),
        ("ACCOUNT", "ledger_sequence", {"N": "3"}),
        ("POSITION#", "quantity", {"N": "7"}),
        ("POSITION#", "cost_basis", {"N": "7"}),
        ("POSITION#", "realized_pnl", {"N": "7"}),
        ("POSITION#", "fees", {"N": "7"}),
        ("POSITION#", "income", {"N": "7"}),
        ("POSITION#", "currency", {"S": "EUR"}),
        ("POSITION#", "cost_method", {"S": "average"}),
        ("POSITION#", "lots", {"L": []}),
    ],
)
def test_books_that_do_not_follow_from_the_ledger_show(
    prefix: str, field: str, value: dict[str, Any]
) -> None:
    store(items(prefix)[0] | {field: value})
    found = check("?verify=true")
    assert (found["ok"], bool(found["problem"])) == (False, True)
    assert good("POST", "/orders/reconcile", {"portfolio_id": "main"})["differences"]


def test_a_past_moment_of_a_forged_ledger_is_not_answered() -> None:
    item = items("LEDGER#")[0]
    store(item | {"kind": {"S": "nonsense"}})
    refused = call("GET", "/portfolio/main?as_of=2190-01-01T00:00:00Z")
    assert refused.status == 422
    moment = good("GET", "/portfolio/main")["as_of"]
    refused = call("GET", f"/portfolio/main?as_of={moment}")
    assert refused.status == 409
    assert "no transaction: kind" in refused.json["detail"]
