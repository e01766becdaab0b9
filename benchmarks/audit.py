"""Whether books are whole: every recommendation against orders, fills, ledger and counters.

Reads whole tables, past all the code that wrote them, and compares what must agree. The ledger
itself, with its hash chain, is rebuilt by the platform's own reconciliation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer

from trading.desk import desk
from trading.settings import settings
from trading.usecases.reconcile import reconcile

FINAL = frozenset(
    ("executed", "partially_executed", "rejected", "expired", "cancelled", "failed")
)  # fmt: skip
_FILLED = "filled"
Item = Mapping[str, Any]
_read = TypeDeserializer().deserialize


@dataclass
class Audit:
    """Everything that is stored, and in ``problems`` a sentence for all that does not agree."""

    recommendations: dict[str, Item] = field(default_factory=dict)
    orders: dict[str, Item] = field(default_factory=dict)
    fills: list[Item] = field(default_factory=list)
    ledger: list[Item] = field(default_factory=list)
    trades: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def must(self, holds: bool, otherwise: str) -> None:
        """Note a problem unless something holds."""
        if not holds:
            self.problems.append(otherwise)

    def statuses(self) -> Counter[str]:
        """How many recommendations are in each state."""
        return Counter(r["execution_status"] for r in self.recommendations.values())


def audit(portfolio_ids: Sequence[str]) -> Audit:
    """Read the tables that the settings name and compare."""
    found = _everything()
    _check_recommendations(found)
    _check_fills(found)
    _check_counters(found)
    report = reconcile(desk(), portfolio_ids)
    for difference in report.differences:
        found.problems.append(
            f"{difference.portfolio_id}: {difference.what} is stored as {difference.stored},"
            f" derived as {difference.derived}"
        )
    return found


def _everything() -> Audit:
    """Read recommendations, orders, fills, ledger and the day's counters."""
    found = Audit()
    for item in scanned(settings().recommendations_table):
        if item["sk"] == "RECOMMENDATION":
            found.recommendations[item["id"]] = item
    for item in scanned(settings().orders_table):
        if item["sk"] == "ORDER":
            found.orders[item["id"]] = item
        elif item["sk"].startswith("FILL#"):
            found.fills.append(item)
    found.ledger = [i for i in scanned(settings().portfolio_table) if "LEDGER#" in i["sk"]]
    for item in scanned(settings().risk_table):
        if item["sk"].startswith("DAY#"):
            found.trades[item["pk"].removeprefix("PORTFOLIO#")] += int(item["trades"])
    return found


def scanned(table: str) -> Iterator[Item]:
    """Every item of a table."""
    for page in (
        boto3.client("dynamodb")
        .get_paginator("scan")
        .paginate(TableName=table, ConsistentRead=True)
    ):
        for item in page["Items"]:
            yield {name: _read(value) for name, value in item.items()}


def _check_recommendations(found: Audit) -> None:
    """Every recommendation has ended, with exactly one order unless it never got to one."""
    orders: dict[str, list[Item]] = {}
    for order in found.orders.values():
        if cause := order.get("recommendation_id"):
            orders.setdefault(cause, []).append(order)
    for identifier in orders.keys() - found.recommendations.keys():
        found.problems.append(f"{identifier} has an order but is not stored")
    for identifier, one in found.recommendations.items():
        status, own = one["execution_status"], orders.get(identifier, [])
        found.must(status in FINAL, f"{identifier} has not ended: {status}")
        found.must(len(own) <= 1, f"{identifier} has {len(own)} orders")
        found.must(
            [order["id"] for order in own] == ([one["order_id"]] if one.get("order_id") else []),
            f"{identifier} names another order than the one that it has",
        )
        if status in ("executed", "partially_executed"):
            found.must(bool(own), f"{identifier} is {status} without an order")


def _check_fills(found: Audit) -> None:
    """What orders say is filled, their fills and the ledger are the same."""
    filled: Counter[str] = Counter()
    for one in found.fills:
        filled[one["order_id"]] += one["quantity"]
    for identifier, order in found.orders.items():
        found.must(
            filled[identifier] == order["filled_quantity"],
            f"{identifier} is filled by {order['filled_quantity']}, its fills by"
            f" {filled[identifier]}",
        )
        if order["execution_status"] == _FILLED:
            found.must(
                order["filled_quantity"] == order["quantity"], f"{identifier} is not filled whole"
            )
    posted = Counter(t["cause"] for t in found.ledger if t["kind"] == "fill")
    expected = Counter(f"fill:{one['id']}" for one in found.fills)
    for cause in posted.keys() | expected.keys():
        found.must(
            posted[cause] == expected[cause],
            f"{cause} is {posted[cause]} times in the ledger, {expected[cause]} times executed",
        )


def _check_counters(found: Audit) -> None:
    """Counters are what counting gives."""
    recommendations = Counter(
        (r["portfolio_id"], r["execution_status"]) for r in found.recommendations.values()
    )
    orders = Counter(
        (o["portfolio_id"], f"{o['execution_status']}#{o.get('reason') or ''}".rstrip("#"))
        for o in found.orders.values()
    )
    accepted = Counter(
        o["portfolio_id"] for o in found.orders.values() if o["execution_status"] != "rejected"
    )
    _compare(found, "recommendations", desk().recommendations.counts(), recommendations)
    _compare(found, "orders", desk().orders.counts(), orders)
    for portfolio_id in accepted.keys() | found.trades.keys():
        found.must(
            accepted[portfolio_id] == found.trades[portfolio_id],
            f"{portfolio_id}: {found.trades[portfolio_id]} orders are counted as accepted,"
            f" {accepted[portfolio_id]} are",
        )


def _compare(
    found: Audit,
    what: str,
    stored: Mapping[str, Mapping[str, int]],
    counted: Counter[tuple[str, str]],
) -> None:
    """Compare stored counters, of which zeros may stay behind, with a count."""
    flat = Counter({(pid, state): n for pid, of in stored.items() for state, n in of.items()})
    for key in flat.keys() | counted.keys():
        found.must(
            flat[key] == counted[key],
            f"{what} {'/'.join(key)}: {flat[key]} by the counter, {counted[key]} by counting",
        )
