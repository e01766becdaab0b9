"""What cannot be right is refused with the documented error and leaves no trace in the books."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.aws import ROOT
from tests.support.floor import INSTRUMENT, books, call, good, open_floor, order, place, set_price
from trading.domain.risk.rules import ALL_RULES

LONG = "1234567890" * 4


@pytest.fixture(autouse=True)
def floor(account: None) -> None:
    open_floor(limits={"max_daily_trades": 2})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"quantity": "-1"}, "quantity"),
        ({"quantity": "0"}, "quantity"),
        ({"quantity": -1}, "quantity"),
        ({"quantity": LONG}, "quantity"),
        ({"quantity": "1e400"}, "quantity"),
        ({"quantity": "0.123456789"}, "quantity"),
        ({"quantity": "NaN"}, "quantity"),
        ({"quantity": "Infinity"}, "quantity"),
        ({"quantity": True}, "quantity"),
        ({"quantity": None}, "quantity"),
        ({"quantity": ["1"]}, "quantity"),
        ({"side": "hold"}, "side"),
        ({"type": "limit"}, "limit_price"),
        ({"limit_price": "1"}, "limit_price"),
        ({"type": "limit", "limit_price": "99.999"}, "limit_price"),
        ({"symbol": "NOPE"}, "symbol"),
        ({"symbol": "ac me"}, "symbol"),
        ({"portfolio_id": "nobody"}, "portfolio_id"),
        ({"portfolio_id": "../main"}, "portfolio_id"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_an_order_with_a_wrong_field_is_refused_by_name(change: dict[str, Any], field: str) -> None:
    before = books()
    refused = call("POST", "/orders", order() | change, key="bad")
    assert refused.status == 422, refused.text
    assert refused.headers["content-type"] == "application/problem+json"
    named = json.dumps(refused.json["errors"])
    assert field in named, named
    assert books() == before
    assert good("GET", "/orders")["items"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"quantity": NaN}', 400),
        ('{"quantity": 1,}', 400),
        ("not json", 400),
        ("", 422),
        ("[]", 422),
        ('{"a":' * 5000 + "1" + "}" * 5000, 400),
        (json.dumps({"note": "x" * 300_000}), 413),
    ],
)
def test_a_body_that_is_not_a_small_json_object_is_refused(body: str, status: int) -> None:
    before = books()
    refused = call("POST", "/orders", body, key="bad")
    assert refused.status == status, refused.text
    assert refused.headers["content-type"] == "application/problem+json"
    assert books() == before


def test_numbers_are_read_exactly_from_json() -> None:
    body = json.dumps(order("Q")).replace('"Q"', "3.00000000")
    assert call("POST", "/orders", body, key="exact").json["quantity"] == "3"
    body = json.dumps(order("Q")).replace('"Q"', "3.000000001")
    assert call("POST", "/orders", body, key="inexact").status == 422


def test_an_order_without_an_idempotency_key_is_refused() -> None:
    refused = call("POST", "/orders", order())
    assert refused.status == 422
    assert "Idempotency-Key" in refused.text


def test_who_may_not_is_refused_before_anything_is_read() -> None:
    before = books()
    assert call("POST", "/orders", order(), key="k", scopes=None).status == 401
    assert call("POST", "/orders", order(), key="k", scopes=["execution:read"]).status == 403
    assert books() == before


@pytest.mark.parametrize(
    ("query", "field", "why"),
    [
        ("portfoli_id=other", "portfoli_id", "only cursor, limit, portfolio_id"),
        ("limit=1&limit=2", "limit", "more than once"),
        ("portfolio_id=main&portfolio_id=other", "portfolio_id", "more than once"),
        ("Limit=1", "Limit", "only cursor, limit, portfolio_id"),
    ],
)
def test_no_parameter_of_an_address_is_ignored(query: str, field: str, why: str) -> None:
    refused = call("GET", f"/orders?{query}")
    assert refused.status == 422
    assert why in refused.errors[field]


@pytest.mark.parametrize("path", ["/portfolio", "/portfolio/main/positions", "/market/prices"])
def test_lists_that_are_read_whole_are_paged_like_the_others(path: str) -> None:
    for number in range(3):
        symbol, name = f"S{number}", f"p{number}"
        good("PUT", f"/market/instruments/{symbol}", INSTRUMENT)
        good("POST", "/market/prices", {"prices": [{"symbol": symbol, "price": "10"}]})
        good("PUT", f"/portfolio/{name}", {"base_currency": "USD"})
        held = {"type": "correction", "currency": "USD", "symbol": symbol, "quantity": "1",
                "unit_cost": "1"}  # fmt: skip
        good("POST", "/portfolio/main/holdings/update", held, key=symbol)
    whole = good("GET", path)
    assert (len(whole["items"]) >= 3, whole["cursor"]) == (True, None)
    paged, cursor = [], ""
    while True:
        page = good("GET", f"{path}?limit=2" + (f"&cursor={cursor}" if cursor else ""))
        assert len(page["items"]) <= 2
        paged += page["items"]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert paged == whole["items"]


def test_every_list_of_the_document_can_be_paged() -> None:
    document = json.loads((ROOT / "docs/openapi.json").read_text())
    schemas = document["components"]["schemas"]
    for path, operations in document["paths"].items():
        answer = operations.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        name = answer.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")
        if "cursor" in schemas.get(name[2], {}).get("properties", {}):
            taken = {p["name"] for p in operations["get"]["parameters"]}
            assert {"limit", "cursor"} <= taken, path


def test_a_route_without_parameters_says_so() -> None:
    refused = call("POST", "/orders?dry_run=true", order(), key="dry")
    assert refused.status == 422
    assert "no parameters" in refused.errors["dry_run"]
    assert good("GET", "/orders")["items"] == []


def test_an_unknown_route_is_a_problem() -> None:
    refused = call("GET", "/orders/none/of/this")
    assert refused.status == 404
    assert refused.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("quantity", "side", "reason"),
    [
        ("0.5", "buy", "lot_size"),
        ("1", "sell", "holding_available"),
        ("200", "buy", "cash_available"),
    ],
)
def test_an_order_that_risk_rejects_leaves_the_books_alone(
    quantity: str, side: str, reason: str
) -> None:
    before = books()
    refused = place(quantity, side)
    assert refused.status == 422
    assert reason in {r["rule"] for r in refused.json["risk"] if not r["passed"]}
    assert books() == before
    verdict = good("GET", "/risk/main/decisions")["items"][0]
    assert verdict["order_id"] == refused.json["order"]["id"]
    assert len(verdict["results"]) == len(ALL_RULES)


def test_the_third_order_of_a_day_with_two_is_rejected() -> None:
    assert [place("1").status for _ in range(3)] == [201, 201, 422]
    assert books()["trades"] == 2


def test_no_order_trades_on_a_stale_price(environment: pytest.MonkeyPatch) -> None:
    from datetime import UTC, datetime, timedelta

    from trading import bootstrap

    later = datetime.now(UTC) + timedelta(hours=2)
    environment.setattr(bootstrap, "wall_clock", lambda: later)
    before = books()
    refused = place("1")
    assert refused.json["order"]["reason"] == "stale_price"
    assert refused.json["errors"][0]["field"] == "symbol"
    assert books()["account"] == before["account"]


def test_no_order_trades_without_a_price() -> None:
    good(
        "PUT",
        "/market/instruments/NEW",
        {"base_currency": "NEW", "quote_currency": "USD", "tick_size": "1", "lot_size": "1"},
    )
    assert place("1", symbol="NEW").json["order"]["reason"] == "stale_price"


def test_the_largest_amounts_that_pass_the_door_can_be_judged_and_booked() -> None:
    good(
        "PUT",
        "/market/instruments/TINY",
        {
            "base_currency": "TINY",
            "quote_currency": "USD",
            "tick_size": "0.00000001",
            "lot_size": "0.00000001",
        },
    )
    good(
        "POST", "/market/prices", {"prices": [{"symbol": "TINY", "price": "999999999999.99999999"}]}
    )
    refused = place("999999999999.99999999", symbol="TINY")
    assert refused.status == 422
    assert refused.json["errors"][0]["field"] == "quantity"
    set_price("100")
    refused = place("999999.99999999", symbol="TINY")
    assert refused.json["order"]["reason"] == "cash_available"


@pytest.mark.parametrize("time", ["0.5", "1700000000", "-1", "inf", "1e9"])
@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/portfolio/main?as_of={}", "as_of"),
        ("/portfolio/main/performance?start={}", "start"),
        ("/risk/main/exposure/history?end={}", "end"),
        ("/signals?start={}", "start"),
        ("/keys/audit?end={}", "end"),
    ],
)
def test_a_number_is_no_time_in_an_address_either(
    account: None, path: str, field: str, time: str
) -> None:
    open_floor()
    answer = call("GET", path.format(time))
    assert answer.status == 422
    assert set(answer.errors) == {field}


@pytest.mark.parametrize("value", [True, False, "5", 5.5])
@pytest.mark.parametrize("field", ["max_open_orders", "max_daily_trades"])
def test_a_number_of_orders_is_a_number(account: None, field: str, value: object) -> None:
    open_floor()
    answer = call("PUT", "/risk/main/limits", {field: value})
    assert answer.status == 422
    assert set(answer.errors) == {field}
    assert call("PUT", "/risk/main/limits", {field: 5}).status == 200


@pytest.mark.parametrize("body", ["1.5", "1", '"x"', "[]", "true", "null"])
def test_only_an_object_passes_for_one(body: str) -> None:
    before = good("GET", "/risk/main/limits")
    refused = call("PUT", "/risk/main/limits", body)
    assert (refused.status, refused.errors) == (422, {"body": "must be a JSON object"})
    assert good("GET", "/risk/main/limits") == before
    inside = json.dumps({"base_currency": "USD", "policy": 0, "fill_model": 0})
    refused = call("PUT", "/portfolio/new", inside.replace("0", body))
    assert refused.status == 422
    assert set(refused.errors) == {"policy", "fill_model"}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/portfolio/main/allocation", {"weights": {"ACME": "0.5"}, "dry_run": "false"}, "dry_run"),
        ("/portfolio/main/allocation", {"weights": {"ACME": "0.5"}, "dry_run": 0}, "dry_run"),
        ("/risk/main/resume", {"rebase": "yes"}, "rebase"),
        ("/risk/main/halt", {"reason": "r", "cancel_orders": 1}, "cancel_orders"),
        ("/orders", {"reduce_only": "true"}, "reduce_only"),
        ("/backtests/sweeps", {"trials": True}, "trials"),
        ("/portfolio/main/holdings/update", {"split_to": "2"}, "split_to"),
    ],
)
def test_only_true_and_false_are_truth_values_and_only_numbers_count(
    path: str, body: dict[str, Any], field: str
) -> None:
    sent = order() | body if path == "/orders" else body
    refused = call("POST", path, sent, key="truth")
    assert refused.status == 422
    assert field in refused.errors


@pytest.mark.parametrize(
    "path",
    [
        "/portfolio/%2e%2e",
        "/portfolio/..",
        "/portfolio/main%2f..%2fother",
        "/portfolio/main%00",
        "/portfolio/MAIN",
        "/portfolio/m\u0430in",  # a Cyrillic letter that looks like a Latin one
        "/portfolio/main\u200b",
        "/portfolio/PORTFOLIO%23main",
        "/risk/%2e%2e%2fmain/limits",
        "/orders/ord_..%2f..%2fkeys",
        "/orders/%6frd_" + "0" * 32 + "%20",
    ],
)
def test_no_trick_with_a_path_reaches_anything(account: None, path: str) -> None:
    open_floor()
    answer = call("GET", path)
    assert answer.status in (404, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "main" not in answer.json.get("portfolio_id", "")


def test_a_wrong_method_is_told_every_method_that_the_path_takes() -> None:
    assert call("OPTIONS", "/portfolio/main").headers["allow"] == "GET, PUT"
    assert call("PATCH", "/risk/main/limits").headers["allow"] == "GET, PUT"
    assert call("DELETE", "/orders").headers["allow"] == "GET, POST"
    assert call("OPTIONS", "/orders/reconcile").headers["allow"] == "POST"
    assert call("OPTIONS", "/keys/audit").headers["allow"] == "GET"
