"""The kill switch: precise, repeatable, and alive while everything else is down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from tests.support.floor import INSTRUMENT, books, call, drain, good, open_floor, place, set_price
from trading import bootstrap
from trading.domain.errors import Unavailable

OTHERS = ("MarketTable", "RecommendationsTable", "SignalsTable", "IdempotencyTable", "KeysTable")


@pytest.fixture(autouse=True)
def floor(account: None) -> None:
    open_floor()


def resting(quantity: str = "5", side: str = "buy", price: str = "90", **more: Any) -> str:
    made = place(quantity, side, type="limit", limit_price=price, **more).json
    assert made["execution_status"] == "accepted"
    identifier: str = made["id"]
    return identifier


def status(order_id: str) -> Any:
    return good("GET", f"/orders/{order_id}")["execution_status"]


def halt(portfolio: str = "main", **more: Any) -> Any:
    return good("POST", f"/risk/{portfolio}/halt", {"reason": "news", **more})


@contextmanager
def outage() -> Iterator[list[str]]:
    """Cut off every queue, and every table but those that the kill switch needs."""
    refused: list[str] = []

    def cut(params: dict[str, Any], model: Any, **_: Any) -> None:
        named = [table for table in OTHERS if table in str(params["body"])]
        if named or model.service_model.service_name == "sqs":
            refused.extend(named or ["queue"])
            raise EndpointConnectionError(endpoint_url="https://down.example")

    clients = (bootstrap.store()._client, bootstrap.queue_client())
    for client in clients:
        client.meta.events.register("before-call", cut)
    try:
        yield refused
    finally:
        for client in clients:
            client.meta.events.unregister("before-call", cut)


def test_halting_works_while_everything_else_is_down() -> None:
    place("10")
    body = {
        "portfolio_id": "main", "symbol": "ACME", "side": "buy", "quantity": "5",
        "type": "limit", "limit_price": "80",
    }  # fmt: skip
    recommended = good("POST", "/recommendations", body, key="r")["id"]
    drain()
    ordered = good("GET", f"/recommendations/{recommended}")["order_id"]
    orders = [resting(), resting("3", "sell", "120"), ordered]
    with outage() as refused:
        assert call("GET", "/market/prices").status == 503
        halted = halt()
        assert halted["trading_state"] == "halted"
        assert (halted["cancelled_orders"], halted["open_orders"]) == (3, 0)
        assert halted["failed_orders"] == {}
    assert "RecommendationsTable" in refused
    assert [status(order) for order in orders] == ["cancelled"] * 3
    assert books()["account"].reserved == {}
    assert good("GET", f"/recommendations/{recommended}")["execution_status"] == "executing"
    good("POST", "/risk/main/resume")
    assert good("GET", f"/recommendations/{recommended}")["execution_status"] == "cancelled"


def test_a_replaying_portfolio_is_halted_without_its_clock() -> None:
    good("PUT", "/market/instruments/OLD", INSTRUMENT)
    price = {"symbol": "OLD", "price": "50", "time": "2010-01-05T00:00:00Z"}
    good("POST", "/market/prices", {"prices": [price]})
    terms = {"base_currency": "USD", "cash": "1000", "clock": "market"}
    good("PUT", "/portfolio/replay", terms | {"policy": {"symbols": ["OLD"]}})
    good("PUT", "/risk/replay/limits", {})
    order = resting(portfolio_id="replay", symbol="OLD", price="40")
    with outage():
        assert halt("replay")["cancelled_orders"] == 1
    assert status(order) == "cancelled"


def test_an_order_that_cannot_be_cancelled_stops_no_other_and_is_named(
    environment: pytest.MonkeyPatch,
) -> None:
    from trading.adapters.dynamodb.books import BookRepository

    orders = [resting(price=price) for price in ("90", "91", "92")]
    commit = BookRepository.commit

    def refusing(self: BookRepository, change: Any) -> None:
        if change.order is not None and change.order.id == orders[1]:
            raise Unavailable("the database refused the call")
        commit(self, change)

    with environment.context() as patch:
        patch.setattr(BookRepository, "commit", refusing)
        halted = halt()
    assert halted["failed_orders"] == {orders[1]: "the database refused the call"}
    assert (halted["cancelled_orders"], halted["open_orders"]) == (2, 1)
    again = halt()
    assert (again["failed_orders"], again["open_orders"]) == ({}, 0)


def test_reducing_cancels_only_what_would_add_to_the_risk() -> None:
    place("10")
    buy, sale = resting(), resting("10", "sell", "120")
    assert halt(state="reducing")["cancelled_orders"] == 1
    assert (status(buy), status(sale)) == ("cancelled", "accepted")
    assert halt()["cancelled_orders"] == 1
    assert status(sale) == "cancelled"


def test_other_portfolios_orders_are_left_alone() -> None:
    good("PUT", "/portfolio/other", {"base_currency": "USD", "cash": "1000"})
    good("PUT", "/risk/other/limits", {})
    theirs = resting(portfolio_id="other")
    assert halt()["cancelled_orders"] == 0
    assert status(theirs) == "accepted"


def test_halting_for_another_reason_keeps_the_newest_one() -> None:
    halt()
    set_price("99")
    assert halt(reason="worse news")["reason"] == "worse news"
    assert good("POST", "/risk/main/resume")["trading_state"] == "active"
