"""Portfolios and risk over HTTPS: books that explain themselves, limits, stops, the kill switch."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from execution.handler import on_schedule as match_schedule
from portfolio.handler import on_schedule as snapshot_schedule
from risk.handler import on_schedule as stop_schedule
from tests.support.floor import (
    INSTRUMENT,
    books,
    call,
    drain,
    good,
    open_floor,
    order,
    place,
    set_price,
)
from tests.support.http import Context
from trading.domain.risk.rules import ALL_RULES


@pytest.fixture(autouse=True)
def floor(account: None) -> None:
    open_floor()


def move(key: str, **body: Any) -> Any:
    return call("POST", "/portfolio/main/holdings/update", {"currency": "USD", **body}, key=key)


def test_opening_again_changes_nothing_and_other_facts_are_a_conflict() -> None:
    same = {"base_currency": "USD", "cash": "10000", "commission_rate": "0.001"}
    before = books()
    assert call("PUT", "/portfolio/main", same).status == 200
    assert books() == before
    for fact in ({"base_currency": "EUR"}, {"mode": "paper"}, {"clock": "market"}, {"cash": "1"}):
        assert call("PUT", "/portfolio/main", same | fact).status == 409, fact
    assert books() == before
    assert good("PUT", "/portfolio/main", same | {"commission_rate": "0.002"})


def test_an_unknown_portfolio_is_not_found_anywhere() -> None:
    for path in ("", "/positions", "/performance", "/ledger"):
        assert call("GET", f"/portfolio/nobody{path}").status == 404
    for path in ("limits", "exposure", "var", "stops", "decisions"):
        assert call("GET", f"/risk/nobody/{path}").status == 404


def test_deposits_withdrawals_and_corrections_are_entries_that_happen_once() -> None:
    for _ in range(2):
        assert move("a", type="deposit", amount="500.25").status == 200
    assert move("b", type="withdrawal", amount="0.25").status == 200
    assert move("c", type="correction", symbol="ACME", quantity="4", unit_cost="90").status == 200
    assert move("d", type="correction", symbol="ACME", quantity="-1").status == 200
    assert move("e", type="correction", amount="-10").status == 200
    view = good("GET", "/portfolio/main")
    assert view["cash"] == {"USD": "10490"}
    assert view["capital"] == "10500"
    held = good("GET", "/portfolio/main/positions")["items"][0]
    assert (held["quantity"], held["cost_basis"], held["realized_pnl"]) == ("3", "270", "0")
    assert good("POST", "/orders/reconcile", {})["differences"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": "withdrawal", "amount": "10000.01"}, "amount"),
        ({"type": "deposit", "amount": "-1"}, "amount"),
        ({"type": "deposit"}, "amount"),
        ({"type": "fill", "amount": "1"}, "type"),
        ({"type": "correction"}, "amount"),
        ({"type": "correction", "symbol": "NOPE", "quantity": "1", "unit_cost": "1"}, "symbol"),
        ({"type": "correction", "symbol": "ACME", "quantity": "1"}, "unit_cost"),
        ({"type": "correction", "symbol": "ACME", "quantity": "-1"}, "quantity"),
    ],
)
def test_a_movement_that_cannot_be_is_refused_without_a_trace(
    body: dict[str, str], field: str
) -> None:
    before = books()
    refused = move("bad", **body)
    assert refused.status == 422
    assert field in refused.text
    assert books() == before


def test_the_ledger_rederives_cash_and_holdings_and_pages_to_its_beginning() -> None:
    place("10")
    set_price("110")
    place("4", "sell")
    entries, cursor = [], None
    while True:
        suffix = f"&cursor={cursor}" if cursor else ""
        page = good("GET", f"/portfolio/main/ledger?limit=1{suffix}")
        entries += page["items"]
        if not (cursor := page["cursor"]):
            break
    assert [t["sequence"] for t in entries] == [3, 2, 1]
    sums: dict[tuple[str, str], Decimal] = {}
    for transaction in entries:
        for entry in transaction["entries"]:
            key = (entry["account"], entry["commodity"])
            sums[key] = sums.get(key, Decimal(0)) + Decimal(entry["amount"])
    view = good("GET", "/portfolio/main")
    assert sums["cash", "USD"] == Decimal(view["cash"]["USD"])
    assert sums["holdings", "ACME"] == 6
    assert view["realized_pnl"] == "40"
    assert Decimal(view["equity"]) == Decimal(view["capital"]) + Decimal(view["total_pnl"])


def test_any_past_moment_is_answered_from_the_ledger() -> None:
    place("10")
    between = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    time.sleep(0.01)
    place("5")
    past = good("GET", f"/portfolio/main?as_of={between}")
    assert (past["cash"], past["ledger_sequence"]) == ({"USD": "8999"}, 2)
    now = good("GET", "/portfolio/main")
    assert (now["cash"], now["ledger_sequence"]) == ({"USD": "8498.5"}, 3)
    assert call("GET", "/portfolio/main?as_of=2190-01-01T00:00:00Z").status == 422


def test_performance_comes_from_snapshots_without_deposits() -> None:
    place("10")
    assert snapshot_schedule({}, Context()) == {"recorded": 1, "unknown": 0}
    set_price("110")
    move("a", type="deposit", amount="1000")
    assert snapshot_schedule({"portfolio_ids": ["main", "nobody"]}, Context())["unknown"] == 1
    found = good("GET", "/portfolio/main/performance")
    # The deposit keeps one of its own.
    assert found["snapshots"] == 3
    assert found["net_profit"] == "100"
    assert Decimal(found["time_weighted_return"]) == (Decimal(100) / 9999).quantize(
        Decimal("1e-16")
    )


def test_an_allocation_is_planned_dry_and_then_takes_the_queue() -> None:
    body = {"weights": {"ACME": "0.25"}}
    dry = good("POST", "/portfolio/main/allocation", body, key="dry")
    assert [(o["symbol"], o["side"], o["quantity"]) for o in dry["orders"]] == [
        ("ACME", "buy", "25")
    ]
    assert dry["recommendations"] == []
    wet = good("POST", "/portfolio/main/allocation", body | {"dry_run": False}, key="wet")
    assert [r["execution_status"] for r in wet["recommendations"]] == ["queued"]
    drain()
    assert books()["positions"]["ACME"].quantity == 25
    out = {"weights": {"ACME": "0"}, "dry_run": False}
    good("POST", "/portfolio/main/allocation", out, key="out")
    drain()
    assert books()["positions"]["ACME"].quantity == 0


def test_weights_over_one_and_unknown_symbols_are_refused() -> None:
    for weights in ({"ACME": "1.1"}, {"NOPE": "0.1"}, {"ACME": "-0.1"}):
        path = "/portfolio/main/allocation"
        assert call("POST", path, {"weights": weights}, key=str(weights)).status == 422


def test_limits_are_replaced_and_count_their_versions() -> None:
    assert good("GET", "/risk/main/limits")["version"] == 1
    changed = good("PUT", "/risk/main/limits", {"max_order_notional": "500"})
    assert (changed["max_order_notional"], changed["version"]) == ("500", 2)
    assert good("PUT", "/risk/main/limits", {"max_order_notional": "500"})["version"] == 2
    assert place("6").json["order"]["reason"] == "order_notional"
    for bad in ({"max_order_notional": "-1"}, {"max_daily_trades": -1}, {"nonsense": 1}):
        assert call("PUT", "/risk/main/limits", bad).status == 422


def test_a_what_if_shows_every_rule_and_writes_nothing() -> None:
    before = books()
    body = {"symbol": "ACME", "side": "buy", "quantity": "1000"}
    verdict = good("POST", "/risk/main/evaluate", body)
    assert (verdict["passed"], verdict["reason"]) == (False, "cash_available")
    assert len(verdict["results"]) == len(ALL_RULES)
    assert books() == before
    assert good("GET", "/risk/main/decisions")["items"] == []


def test_exposure_counts_holdings_and_resting_buys() -> None:
    place("10")
    place("5", type="limit", limit_price="90")
    found = good("GET", "/risk/main/exposure")
    line = found["symbols"][0]
    assert (line["market_value"], line["resting_buys"]) == ("1000", "450")
    assert (found["gross"], found["net"]) == ("1000", "1000")


def test_halting_stops_everything_at_once_and_cancels_what_rests() -> None:
    place("10")
    resting = place("5", type="limit", limit_price="90").json
    for _ in range(2):
        halted = good("POST", "/risk/main/halt", {"reason": "news"})
        assert halted["trading_state"] == "halted"
    assert good("GET", f"/orders/{resting['id']}")["execution_status"] == "cancelled"
    assert place("1").json["order"]["reason"] == "trading_state"
    assert place("1", "sell").json["order"]["reason"] == "trading_state"
    good("POST", "/risk/main/halt", {"reason": "news", "state": "reducing"})
    assert place("1").status == 422
    assert place("1", "sell").status == 201
    good("POST", "/risk/main/resume")
    assert place("1").status == 201


def test_resting_buys_wait_while_trading_is_only_reducing() -> None:
    made = place("5", type="limit", limit_price="90").json
    good(
        "POST",
        "/risk/main/halt",
        {"reason": "news", "state": "reducing", "cancel_orders": False},
    )
    set_price("89")
    assert match_schedule({}, Context())["filled"] == 0
    good("POST", "/risk/main/resume")
    assert match_schedule({}, Context())["filled"] == 1
    assert good("GET", f"/orders/{made['id']}")["average_price"] == "90"


def test_a_stop_goes_off_once_however_often_it_is_seen() -> None:
    place("10")
    stop = {"id": "floor", "symbol": "ACME", "kind": "trailing", "trail_percent": "10"}
    for _ in range(2):
        armed = good("PUT", "/risk/main/stops", {"stops": [stop]})["stops"]
    assert armed[0]["state"] == "armed"
    set_price("120")
    assert stop_schedule({}, Context())["triggered"] == 0
    assert good("GET", "/risk/main/stops")["stops"][0]["trigger_price"] == "108"
    set_price("107")
    assert stop_schedule({}, Context())["exits"] == 1
    assert stop_schedule({}, Context())["armed"] == 0
    drain()
    assert books()["positions"]["ACME"].quantity == 0
    assert len([o for o in good("GET", "/orders")["items"] if o["side"] == "sell"]) == 1


def test_stops_that_contradict_themselves_are_refused() -> None:
    base = {"id": "s", "symbol": "ACME"}
    for stop in (
        base | {"kind": "fixed"},
        base | {"kind": "fixed", "price": "1", "trail_percent": "1"},
        base | {"kind": "trailing", "trail_percent": "100"},
        base | {"kind": "fixed", "price": "1", "symbol": "NOPE"},
    ):
        assert call("PUT", "/risk/main/stops", {"stops": [stop]}).status == 422, stop


def candles(symbol: str, closes: list[int]) -> None:
    bars = [
        {
            "time": f"2026-{1 + i // 28:02d}-{1 + i % 28:02d}T00:00:00Z",
            **dict.fromkeys(("open", "high", "low", "close"), str(close)),
            "volume": "1",
        }
        for i, close in enumerate(closes)
    ]
    body = {"symbol": symbol, "timeframe": "1d", "candles": bars}
    good("POST", "/market/candles", body)


def test_value_at_risk_is_that_of_the_holdings_joint_history() -> None:
    assert good("GET", "/risk/main/var")["value_at_risk"] == "0"
    candles("ACME", [100 + (7 * i) % 13 for i in range(60)])
    place("10")
    found = {
        method: good("GET", f"/risk/main/var?method={method}")
        for method in ("historical", "parametric", "cornish_fisher")
    }
    for figures in found.values():
        assert figures["observations"] == 59
        assert Decimal(figures["expected_shortfall"]) >= Decimal(figures["value_at_risk"]) > 0
    assert len({f["value_at_risk"] for f in found.values()}) == 3
    assert call("GET", "/risk/main/var?method=guess").status == 422


def test_too_little_history_to_measure_says_so() -> None:
    candles("ACME", [100, 101, 102])
    place("10")
    refused = call("GET", "/risk/main/var")
    assert refused.status == 422
    assert "30 are needed" in refused.text


def test_a_size_comes_in_whole_lots_and_names_what_is_missing() -> None:
    sized = good(
        "POST",
        "/risk/main/size",
        {"symbol": "ACME", "method": "fixed_fraction", "fraction": "0.1234"},
    )
    assert (sized["quantity"], sized["notional"]) == ("12", "1200")
    refused = call("POST", "/risk/main/size", {"symbol": "ACME", "method": "kelly"})
    assert refused.status == 422
    assert "win_rate" in refused.text
    candles("ACME", [100 + (7 * i) % 13 for i in range(60)])
    measured = good(
        "POST",
        "/risk/main/size",
        {"symbol": "ACME", "method": "atr_risk", "fraction": "0.01", "atr_multiple": "2"},
    )
    assert Decimal(measured["inputs"]["atr"]) > 0


def test_a_portfolio_on_the_market_clock_lives_in_the_past_it_replays() -> None:
    old = {"base_currency": "USD", "cash": "1000", "clock": "market"}
    good("PUT", "/market/instruments/OLD", INSTRUMENT)
    assert call("PUT", "/portfolio/replay", old).status == 201
    refused = place("1", portfolio_id="replay", symbol="OLD")
    assert refused.json["order"]["reason"] == "stale_price"


def test_history_can_be_replayed_beside_live_prices_of_other_symbols() -> None:
    terms = {"base_currency": "USD", "cash": "1000", "clock": "market"}
    good("PUT", "/market/instruments/OLD", INSTRUMENT)
    then = "2010-01-05T00:00:00Z"
    good("POST", "/market/prices", {"prices": [{"symbol": "OLD", "price": "50", "time": then}]})
    good("PUT", "/portfolio/replay", terms | {"policy": {"symbols": ["OLD"]}})
    made = place("1", portfolio_id="replay", symbol="OLD").json
    assert (made["execution_status"], made["created_at"]) == ("filled", then)
    assert good("GET", "/portfolio/replay")["as_of"] == then


def test_other_portfolios_keys_are_refused() -> None:
    other = {"portfolios": ["other"]}
    for method, path, body in (
        ("GET", "/portfolio/main", None),
        ("GET", "/portfolio/main/ledger", None),
        ("GET", "/risk/main/limits", None),
        ("POST", "/risk/main/halt", {"reason": "x"}),
        ("POST", "/recommendations", order()),
    ):
        assert call(method, path, body, key="k", **other).status == 403, path
    assert good("GET", "/portfolio", **other)["items"] == []


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        ({"quantity": "1e307"}, "policy.quantity"),
        ({"quantity": "9" * 13, "sizing": "fixed_quantity"}, "policy.quantity"),
        ({"notional": "0.000000001"}, "policy.notional"),
        ({"sizing": "risk"}, "policy.risk_fraction"),
        ({"weights": {"ma_cross": "1e-308"}}, "policy.weights.ma_cross"),
        ({"weights": {"ma_cross": "-1"}}, "policy.weights.ma_cross"),
        ({"weights": {"\u00d6": "1"}}, "policy.weights.Ö.[key]"),
        ({"symbols": ["\u0085"]}, "policy.symbols.0"),
        ({"valid_for_seconds": True}, "policy.valid_for_seconds"),
        ({"target_fraction": "0"}, "policy.target_fraction"),
        ({"exit_score": "0"}, "policy.exit_score"),
        ({"entry": "trailing_stop"}, "policy.entry"),
        ({"wieghts": {}}, "policy.wieghts"),
    ],
)
def test_a_policy_that_could_not_be_kept_is_refused(policy: dict[str, Any], field: str) -> None:
    answer = call("PUT", "/portfolio/new", {"base_currency": "USD", "policy": policy})
    assert (answer.status, list(answer.errors)) == (422, [field])
    assert call("GET", "/portfolio/new").status == 404


def test_a_policy_comes_back_as_it_was_given() -> None:
    policy = {
        "sizing": "risk", "risk_fraction": "0.01", "weights": {"ma_cross": "0.5"},
        "symbols": ["ACME"], "trail_percent": "5", "valid_for_seconds": 60,
    }  # fmt: skip
    good("PUT", "/portfolio/new", {"base_currency": "USD", "policy": policy})
    shown = good("GET", "/portfolio/new")["policy"]
    assert {name: shown[name] for name in policy} == policy
    assert (shown["entry_score"], shown["quantity"]) == ("0.5", None)
