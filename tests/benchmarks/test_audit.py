"""The audit of a load run sees what is lost, doubled or miscounted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest

from benchmarks.audit import audit, scanned
from benchmarks.load_plan import Plan
from benchmarks.load_workers import proposal
from tests.support.http import invoke

PID = "load000"


@pytest.fixture
def books(account: None) -> list[str]:
    """Executed recommendations of a small plan; returns their ids."""
    import market.handler
    import portfolio.handler
    from trading.desk import desk
    from trading.usecases.execute_recommendation import execute_recommendation
    from trading.usecases.recommend import save

    instrument = {"base_currency": "ACME", "quote_currency": "USD", "tick_size": "0.01",
                  "lot_size": "1", "min_notional": "1"}  # fmt: skip
    for symbol in ("ACME", "BOLT", "CORE", "DUNE"):
        invoke(market.handler.api, "PUT", f"/market/instruments/{symbol}", instrument)
        prices = {"prices": [{"symbol": symbol, "price": "100"}]}
        invoke(market.handler.api, "POST", "/market/prices", prices)
    terms = {"base_currency": "USD", "cash": "100000"}
    invoke(portfolio.handler.api, "PUT", f"/portfolio/{PID}", terms)
    wanted = [one for one in Plan(12, 1, 0, 0, 1).planned if one.is_buy and not one.rests]
    saved = [save(desk(), proposal(one), "test")[0].id for one in wanted]
    for identifier in saved:
        execute_recommendation(desk(), identifier)
    return saved


def stored(table: str, where: Callable[[Any], bool]) -> dict[str, str]:
    """The key of the first item of which something holds."""
    item = next(item for item in scanned(table) if where(item))
    return {"pk": item["pk"], "sk": item["sk"]}


def update(table: str, key: dict[str, str], expression: str, value: Any) -> None:
    """Change an item behind the platform's back."""
    boto3.resource("dynamodb").Table(table).update_item(
        Key=key, UpdateExpression=expression, ExpressionAttributeValues={":v": value}
    )


def test_whole_books_have_no_problems(books: list[str]) -> None:
    found = audit([PID])
    assert found.problems == []
    assert found.statuses() == {"executed": len(books)}
    assert len(found.orders) == len(found.fills) == len(books)


def test_a_lost_fill_is_seen(books: list[str]) -> None:
    key = stored("OrdersTable", lambda i: i["sk"].startswith("FILL#"))
    boto3.resource("dynamodb").Table("OrdersTable").delete_item(Key=key)
    problems = audit([PID]).problems
    assert any("its fills by 0" in problem for problem in problems)
    assert any("1 times in the ledger, 0 times executed" in problem for problem in problems)


def test_a_second_order_of_one_recommendation_is_seen(books: list[str]) -> None:
    table = boto3.resource("dynamodb").Table("OrdersTable")
    order = table.get_item(Key=stored("OrdersTable", lambda i: i["sk"] == "ORDER"))["Item"]
    table.put_item(Item=order | {"pk": "ORDER#ord_twin", "id": "ord_twin"})
    problems = audit([PID]).problems
    assert f"{order['recommendation_id']} has 2 orders" in problems


def test_a_recommendation_that_never_ended_is_seen(books: list[str]) -> None:
    key = stored("RecommendationsTable", lambda i: i["sk"] == "RECOMMENDATION")
    update("RecommendationsTable", key, "SET execution_status = :v", "queued")
    problems = audit([PID]).problems
    assert any(problem.endswith("has not ended: queued") for problem in problems)


@pytest.mark.parametrize(
    ("table", "sort_key", "counter"),
    [
        ("OrdersTable", PID, "filled"),
        ("RecommendationsTable", PID, "executed"),
        ("RiskTable", "DAY#", "trades"),
    ],
)
def test_a_counter_that_is_off_by_one_is_seen(
    books: list[str], table: str, sort_key: str, counter: str
) -> None:
    key = stored(table, lambda i: i["sk"].startswith(sort_key) and counter in i)
    update(table, key, f"ADD {counter} :v", 1)
    assert len(audit([PID]).problems) == 1


def test_money_that_no_ledger_entry_moved_is_seen(books: list[str]) -> None:
    update("PortfolioTable", {"pk": f"PORTFOLIO#{PID}", "sk": "ACCOUNT"},
           "SET cash.USD = :v", 123456)  # fmt: skip
    (problem,) = audit([PID]).problems
    assert problem.startswith(f"{PID}: cash of USD is stored as 123456")
