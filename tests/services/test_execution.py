"""Orders over HTTPS: filled, resting, cancelled, refused, repeated."""

from __future__ import annotations

from decimal import Decimal

import pytest

from execution.handler import on_schedule
from tests.support.floor import books, call, good, open_floor, order, place, set_price
from tests.support.http import Context

pytestmark = pytest.mark.usefixtures("account")


@pytest.fixture(autouse=True)
def floor(account: None) -> None:
    open_floor()


def test_a_market_order_is_filled_at_the_price_and_booked() -> None:
    made = place("10").json
    assert made["execution_status"] == made["status"] == "filled"
    assert (made["average_price"], made["fees"]) == ("100", "1")
    state = books()
    assert state["account"].cash == {"USD": Decimal(10000 - 1000 - 1)}
    assert state["positions"]["ACME"].quantity == 10
    assert state["trades"] == 1
    detail = good("GET", f"/orders/{made['id']}")
    assert [f["quantity"] for f in detail["fills"]] == ["10"]
    assert good("GET", "/executions")["items"][0]["order_id"] == made["id"]


def test_the_old_name_status_is_answered_and_not_stored() -> None:
    from trading import bootstrap
    from trading.settings import settings

    made = place().json
    item = bootstrap.store().get(
        settings().orders_table, {"pk": f"ORDER#{made['id']}", "sk": "ORDER"}
    )
    assert item is not None
    assert "status" not in item
    assert item["execution_status"] == "filled"


def test_a_limit_order_through_the_market_takes_the_better_price() -> None:
    assert place("1", type="limit", limit_price="101").json["average_price"] == "100"


def test_a_limit_order_rests_until_the_market_comes_to_it() -> None:
    made = place("10", type="limit", limit_price="95").json
    assert made["execution_status"] == "accepted"
    assert books()["account"].reserved == {"USD": Decimal("950.95")}
    assert on_schedule({}, Context())["waiting"] == 1

    set_price("94.50")
    assert on_schedule({}, Context())["filled"] == 1
    done = good("GET", f"/orders/{made['id']}")
    assert (done["execution_status"], done["average_price"]) == ("filled", "95")
    state = books()
    assert state["account"].reserved == {}
    assert state["account"].cash == {"USD": Decimal(10000) - Decimal("950.95")}
    assert set(on_schedule({}, Context()).values()) == {0}


def test_cancelling_gives_back_what_was_promised_and_repeats_harmlessly() -> None:
    before = books()
    made = place("10", type="limit", limit_price="95").json
    for _ in range(2):
        assert good("DELETE", f"/orders/{made['id']}")["execution_status"] == "cancelled"
    after = books()
    assert after["account"].cash == before["account"].cash
    assert after["account"].reserved == {}
    assert after["account"].open_orders == 0


def test_a_filled_order_cannot_be_cancelled() -> None:
    made = place().json
    before = books()
    refused = call("DELETE", f"/orders/{made['id']}")
    assert refused.status == 409
    assert "is filled and cannot be cancelled" in refused.json["detail"]
    assert books() == before


def test_the_same_key_and_body_give_the_same_answer_and_one_order() -> None:
    first = place("3", key="once")
    again = place("3", key="once")
    assert (again.status, again.text) == (first.status, first.text)
    assert len(good("GET", "/orders")["items"]) == 1
    assert books()["positions"]["ACME"].quantity == 3


def test_the_same_key_with_another_body_is_refused() -> None:
    place("3", key="once")
    before = books()
    refused = place("4", key="once")
    assert refused.status == 422
    assert refused.json["type"].endswith("idempotency-conflict")
    assert books() == before


def test_a_key_whose_answer_was_lost_still_makes_one_order() -> None:
    """The order's id derives from the key, so forgetting the kept answer changes nothing."""
    import boto3

    from trading.settings import settings

    first = place("3", key="once").json
    table = boto3.resource("dynamodb").Table(settings().idempotency_table)
    for item in table.scan()["Items"]:
        table.delete_item(Key={"id": item["id"]})
    assert place("3", key="once").json["id"] == first["id"]
    assert books()["positions"]["ACME"].quantity == 3
    assert place("4", key="once").status == 422


def test_a_rejected_order_is_a_problem_that_names_rule_field_and_order_and_repeats() -> None:
    before = books()
    refused = place("1000", key="too-much")
    assert refused.status == 422
    assert refused.headers["content-type"] == "application/problem+json"
    body = refused.json
    assert body["type"].endswith("order-rejected")
    assert body["order"]["execution_status"] == "rejected"
    assert body["order"]["reason"] == "cash_available"
    assert body["errors"][0]["field"] == "quantity"
    assert "10000 USD are available" in body["errors"][0]["message"]
    assert books() == before
    again = place("1000", key="too-much")
    assert (again.status, again.text) == (422, refused.text)
    assert again.headers["content-type"] == "application/problem+json"


def test_lists_are_paged_newest_first_and_each_item_comes_once() -> None:
    made = [place("1").json["id"] for _ in range(5)]
    seen, cursor = [], None
    while True:
        query = f"?limit=2&cursor={cursor}" if cursor else "?limit=2"
        page = good("GET", f"/orders{query}")
        seen += [item["id"] for item in page["items"]]
        if not (cursor := page["cursor"]):
            break
    assert sorted(seen) == sorted(made)
    times = [good("GET", f"/orders/{i}")["created_at"] for i in seen]
    assert times == sorted(times, reverse=True)


def test_a_key_bound_to_another_portfolio_sees_and_touches_nothing() -> None:
    made = place("10", type="limit", limit_price="95").json
    other = {"portfolios": ["other"]}
    assert call("GET", f"/orders/{made['id']}", **other).status == 404
    assert call("DELETE", f"/orders/{made['id']}", **other).status == 404
    assert call("GET", "/orders?portfolio_id=main", **other).status == 403
    assert call("POST", "/orders", order(), key="x", **other).status == 403
    assert good("GET", "/orders", **other)["items"] == []


def test_reconciling_finds_nothing_after_honest_work_and_the_spot_that_was_tampered_with() -> None:
    from trading import bootstrap
    from trading.settings import settings

    place("10")
    place("3", "sell")
    place("5", type="limit", limit_price="90")
    report = good("POST", "/orders/reconcile", {})
    assert report["differences"] == []
    assert (report["orders"], report["transactions"]) == (1, 3)

    key = {"pk": "PORTFOLIO#main", "sk": "POSITION#ACME"}
    bootstrap.store().update_item(
        settings().portfolio_table, key, "SET quantity = :q", {":q": Decimal(99)}
    )
    found = good("POST", "/orders/reconcile", {"portfolio_id": "main"})["differences"]
    assert found == [
        {"portfolio_id": "main", "what": "quantity of ACME", "stored": "99", "derived": "7"}
    ]
    assert books()["positions"]["ACME"].quantity == 99


def test_metrics_count_orders_by_state_and_reason_exactly() -> None:
    place("1")
    place("1")
    place("1000")
    place("1", type="limit", limit_price="90")
    text = call("GET", "/orders/metrics").text
    for line in (
        'trading_orders{portfolio="main",execution_status="filled",reason=""} 2',
        'trading_orders{portfolio="main",execution_status="rejected",reason="cash_available"} 1',
        'trading_orders{portfolio="main",execution_status="accepted",reason=""} 1',
    ):
        assert line in text
