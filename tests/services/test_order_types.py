"""Orders of every type over HTTPS, shown real bars by the matching schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from execution.handler import on_schedule
from tests.support.floor import INSTRUMENT, books, call, good, place
from tests.support.http import Context

pytestmark = pytest.mark.usefixtures("account")
START = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture(autouse=True)
def floor(account: None) -> None:
    """ACME closed at 100, in a portfolio that lives by the market's clock."""
    good("PUT", "/market/instruments/ACME", INSTRUMENT)
    bars(0, (100, 100, 100, 100))
    open_portfolio("main")


def open_portfolio(portfolio_id: str, **terms: Any) -> None:
    body = {"base_currency": "USD", "cash": "10000", "commission_rate": "0.001", "clock": "market"}
    good("PUT", f"/portfolio/{portfolio_id}", body | terms)
    good("PUT", f"/risk/{portfolio_id}/limits", {})


def bars(first: int, *candles: tuple[int, int, int, int], volume: str = "1000") -> dict[str, int]:
    """Post hourly bars (open, high, low, close) from an hour on, and match what rests."""
    posted = [
        {
            "time": (START + timedelta(hours=first + i)).isoformat(),
            **dict(zip(("open", "high", "low", "close"), map(str, candle), strict=True)),
            "volume": volume,
        }
        for i, candle in enumerate(candles)
    ]
    body = {"symbol": "ACME", "timeframe": "1h", "candles": posted}
    good("POST", "/market/candles", body)
    return on_schedule({}, Context())


def order(identifier: str) -> dict[str, Any]:
    found: dict[str, Any] = good("GET", f"/orders/{identifier}")
    return found


def fills() -> list[tuple[str, str, str]]:
    """Side, quantity and price of every fill, oldest first."""
    items = good("GET", "/executions")["items"]
    return [(f["side"], f["quantity"], f["price"]) for f in reversed(items)]


def test_a_bar_that_only_touched_the_limit_fills_at_the_limit_at_the_bars_time() -> None:
    made = place("10", type="limit", limit_price="95").json
    assert bars(1, (100, 104, 94, 103))["filled"] == 1
    (fill,) = order(made["id"])["fills"]
    assert (fill["price"], fill["liquidity"]) == ("95", "maker")
    assert fill["time"] == "2026-03-02T02:00:00Z"


def test_bars_that_come_together_are_shown_one_by_one_in_their_order() -> None:
    place("10")
    stop = place("10", "sell", type="stop", stop_price="90").json
    assert bars(1, (100, 120, 99, 118), (118, 119, 85, 88), (88, 200, 88, 190))["filled"] == 1
    assert order(stop["id"])["average_price"] == "90"
    assert bars(4, (190, 190, 80, 80))["filled"] == 0
    assert fills() == [("buy", "10", "100"), ("sell", "10", "90")]


def test_showing_the_same_bars_again_changes_nothing() -> None:
    place("10", type="limit", limit_price="95")
    bars(1, (100, 104, 94, 103))
    before = books()
    for _ in range(3):
        assert set(on_schedule({}, Context()).values()) == {0}
    assert books() == before


def test_more_bars_than_one_run_shows_are_left_to_the_next(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setattr("trading.usecases.match_orders.MAX_BARS", 5)
    made = place("10", type="limit", limit_price="95").json
    quiet = (100, 101, 99, 100)
    bars(1, *[quiet] * 5, (100, 101, 94, 100), *[quiet] * 6)
    for _ in range(4):
        on_schedule({}, Context())
    (fill,) = order(made["id"])["fills"]
    assert fill["time"] == "2026-03-02T07:00:00Z"


def test_a_trailing_stop_keeps_its_peak_between_runs() -> None:
    place("10")
    stop = place("10", "sell", type="trailing_stop", trail_percent="10").json
    bars(1, (100, 120, 99, 118))
    assert (order(stop["id"])["trail_peak"], order(stop["id"])["trigger_price"]) == ("120", "108")
    bars(2, (118, 119, 107, 110))
    assert order(stop["id"])["average_price"] == "108"


def test_a_bracket_works_from_entry_to_exit() -> None:
    entry = place(
        "10",
        type="limit",
        limit_price="98",
        take_profit={"limit_price": "110"},
        stop_loss={"stop_price": "95", "limit_price": "94"},
    ).json
    target, stop = entry["take_profit_id"], entry["stop_loss_id"]
    assert [order(i)["execution_status"] for i in (target, stop)] == ["new", "new"]
    assert order(stop)["parent_id"] == entry["id"]
    bars(1, (100, 101, 97, 99))
    assert [order(i)["execution_status"] for i in (target, stop)] == ["accepted", "accepted"]
    bars(2, (99, 112, 98, 111))
    assert [order(i)["execution_status"] for i in (target, stop)] == ["filled", "cancelled"]
    assert fills() == [("buy", "10", "98"), ("sell", "10", "110")]
    state = books()
    assert (state["account"].reserved, state["account"].open_orders) == ({}, 0)
    assert good("POST", "/orders/reconcile", {"portfolio_id": "main"})["differences"] == []


def test_cancelling_one_of_two_linked_orders_cancels_the_other() -> None:
    place("10")
    target = place("10", "sell", type="limit", limit_price="110").json
    stop = place("10", "sell", type="stop", stop_price="90", oco_order_id=target["id"]).json
    assert order(target["id"])["oco_id"] == stop["id"]
    assert books()["positions"]["ACME"].reserved_quantity == 10
    assert good("POST", "/orders/reconcile", {"portfolio_id": "main"})["differences"] == []
    good("DELETE", f"/orders/{target['id']}")
    assert order(stop["id"])["execution_status"] == "cancelled"
    assert books()["positions"]["ACME"].reserved_quantity == 0


def test_a_large_order_fills_by_its_share_of_each_bars_volume() -> None:
    model = {"participation_rate": "0.01", "maker_rate": "0.0005"}
    open_portfolio("thin", fill_model=model)
    made = place("25", portfolio_id="thin").json
    assert (made["execution_status"], made["filled_quantity"]) == ("partially_filled", "10")
    bars(1, (101, 102, 100, 101))
    assert order(made["id"])["filled_quantity"] == "20"
    bars(2, (102, 102, 100, 101))
    done = order(made["id"])
    assert (done["execution_status"], len(done["fills"])) == ("filled", 3)
    assert done["average_price"] == str((Decimal(10) * 100 + 10 * 101 + 5 * 102) / 25)
    report = good("POST", "/orders/reconcile", {"portfolio_id": "thin"})
    assert report["differences"] == []


@pytest.mark.parametrize(("rule", "status"), [("ioc", "cancelled"), ("fok", "cancelled")])
def test_an_order_for_now_or_never_does_not_rest(rule: str, status: str) -> None:
    made = place("10", type="limit", limit_price="95", time_in_force=rule)
    assert (made.status, made.json["execution_status"]) == (201, status)
    assert books()["account"].open_orders == 0


def test_a_good_till_date_order_expires_on_the_portfolios_clock() -> None:
    until = (START + timedelta(hours=2)).isoformat()
    made = place("10", type="limit", limit_price="95", time_in_force="gtd", expires_at=until).json
    assert bars(1, (100, 101, 99, 100))["waiting"] == 1
    assert bars(2, (100, 101, 90, 100))["expired"] == 1
    assert order(made["id"])["execution_status"] == "expired"


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"quantity": "0"}, "quantity", "greater than 0"),
    ({"quantity": "-1"}, "quantity", "greater than 0"),
    ({"quantity": "1e30"}, "quantity", "decimal number"),
    ({"quantity": "1" + "0" * 30}, "quantity", "integer digits"),
    ({"quantity": "0.123456789"}, "quantity", "8 decimals"),
    ({"quantity": "1.5"}, "quantity", "lot size"),
    ({"side": "hold"}, "side", "'buy' or 'sell'"),
    ({"type": "iceberg"}, "type", "trailing_stop"),
    ({"type": "limit"}, "limit_price", "is needed for a limit order"),
    ({"limit_price": "99"}, "limit_price", "does not belong to a market order"),
    ({"type": "limit", "limit_price": "99.001"}, "limit_price", "tick size"),
    ({"type": "limit", "limit_price": "-1"}, "limit_price", "greater than 0"),
    ({"type": "stop"}, "stop_price", "is needed for a stop order"),
    ({"type": "stop", "stop_price": "99.001"}, "stop_price", "tick size"),
    ({"type": "stop", "stop_price": "105", "limit_price": "99"}, "limit_price", "does not belong"),
    ({"type": "stop_limit", "stop_price": "105"}, "limit_price", "is needed"),
    ({"type": "trailing_stop"}, "trail_percent", "is needed for a trailing_stop order"),
    ({"type": "trailing_stop", "trail_percent": "100"}, "trail_percent", "less than 100"),
    ({"trail_percent": "5"}, "trail_percent", "does not belong"),
    ({"time_in_force": "day"}, "time_in_force", "'gtd'"),
    ({"time_in_force": "gtd"}, "expires_at", "is needed"),
    ({"expires_at": "2030-01-01T00:00:00Z"}, "expires_at", "only for it"),
    (
        {"time_in_force": "gtd", "expires_at": "2026-03-01T00:00:00Z"},
        "expires_at",
        "must be later than now",
    ),
    ({"time_in_force": "gtd", "expires_at": "2026-03-05T00:00:00"}, "expires_at", "timezone"),
    ({"type": "stop", "stop_price": "105", "time_in_force": "ioc"}, "time_in_force", "gtc or gtd"),
    ({"oco_order_id": "nonsense"}, "oco_order_id", "pattern"),
    (
        {"type": "limit", "limit_price": "90", "oco_order_id": "ord_" + "0" * 32},
        "oco_order_id",
        "there is no order",
    ),
    ({"take_profit": {"limit_price": "99"}}, "take_profit.limit_price", "must be above"),
    ({"stop_loss": {"stop_price": "101"}}, "stop_loss.stop_price", "must be below"),
    ({"stop_loss": {}}, "stop_loss", "either stop_price or trail_percent"),
    ({"stop_loss": {"stop_price": "90.001"}}, "stop_loss.stop_price", "tick size"),
    ({"stop_loss": {"stop_price": "90"}, "reduce_only": True}, "reduce_only", "bracket"),
    ({"symbol": "NOPE"}, "symbol", "NOPE"),
    ({"portfolio_id": "nobody"}, "portfolio_id", "nobody"),
    ({"colour": "red"}, "colour", "not a field"),
]


@pytest.mark.parametrize(("terms", "field", "hint"), BAD, ids=[str(case[0])[:60] for case in BAD])
def test_a_bad_order_is_refused_by_field_and_leaves_nothing(
    terms: dict[str, Any], field: str, hint: str
) -> None:
    before = books()
    body = {"portfolio_id": "main", "symbol": "ACME", "side": "buy", "quantity": "10"} | terms
    refused = call("POST", "/orders", body, key="bad")
    assert refused.status == 422, refused.text
    assert refused.headers["content-type"] == "application/problem+json"
    named = {error["field"]: error["message"] for error in refused.json["errors"]}
    assert field in named, named
    assert hint in named[field]
    after = books()
    assert (after["account"], after["positions"]) == (before["account"], before["positions"])
    assert after["ledger"] == before["ledger"]


def linked(target: str, **terms: Any) -> Any:
    return place("10", "sell", type="stop", stop_price="90", oco_order_id=target, **terms)


def test_a_pair_is_a_pair_and_cannot_be_made_a_ring() -> None:
    place("20")
    target = place("10", "sell", type="limit", limit_price="110").json
    stop = linked(target["id"]).json
    third = linked(target["id"])
    assert (third.status, third.json["errors"][0]["field"]) == (422, "oco_order_id")
    assert "is linked already" in third.json["errors"][0]["message"]
    ring = place("10", "sell", type="limit", limit_price="120", oco_order_id=stop["id"])
    assert "is linked already" in ring.json["errors"][0]["message"]
    assert books()["account"].open_orders == 2


def test_a_link_must_fit_in_symbol_quantity_and_portfolio() -> None:
    place("10")
    target = place("10", "sell", type="limit", limit_price="110").json
    few = place("5", "sell", type="stop", stop_price="90", oco_order_id=target["id"])
    assert (few.status, few.json["errors"][0]["field"]) == (422, "quantity")
    open_portfolio("other")
    foreign = linked(target["id"], portfolio_id="other")
    assert "there is no order" in foreign.json["errors"][0]["message"]
    good("DELETE", f"/orders/{target['id']}")
    assert "is cancelled, not open" in linked(target["id"]).json["errors"][0]["message"]
    assert books()["account"].open_orders == 0


def test_an_order_while_halted_is_kept_with_the_cause_and_nothing_else() -> None:
    good("POST", "/risk/main/halt", {"reason": "the feed is wrong"}, key="h")
    before = books()
    refused = place("10")
    assert (refused.status, refused.json["order"]["reason"]) == (422, "trading_state")
    assert "the feed is wrong" in refused.json["detail"]
    assert books() == before


def test_a_price_that_jumps_a_thousandfold_trades_nothing() -> None:
    limits = {"price_collar_percent": "50"}
    good("PUT", "/risk/main/limits", limits)
    place("10")
    resting = place("10", "sell", type="limit", limit_price="120").json
    before = books()
    time = (START + timedelta(hours=1, minutes=30)).isoformat()
    jump = {"symbol": "ACME", "price": "100000", "time": time}
    good("POST", "/market/prices", {"prices": [jump]})
    assert on_schedule({}, Context())["waiting"] == 1
    refused = place("1")
    assert refused.status == 422
    assert order(resting["id"])["execution_status"] == "accepted"
    assert books()["account"].cash == before["account"].cash
