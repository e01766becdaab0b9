"""Limits that contradict themselves, verdicts as documents, and what-ifs that leave no trace."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.floor import books, call, good, open_floor, place, set_price
from trading.domain.risk.limits import RiskLimits
from trading.domain.risk.rules import ALL_RULES
from trading.schemas.limits import LimitsIn, LimitsOut


@pytest.fixture(autouse=True)
def floor(account: None) -> None:
    open_floor()


def refused(limits: dict[str, Any]) -> dict[str, str]:
    """What is wrong with limits, by field; none of them is set."""
    before = good("GET", "/risk/main/limits")
    answer = call("PUT", "/risk/main/limits", limits)
    assert answer.status == 422, answer.text
    assert good("GET", "/risk/main/limits") == before
    return answer.errors


@pytest.mark.parametrize(
    ("limits", "field", "said"),
    [
        (
            {"max_order_notional": "501", "max_position_notional": "500"},
            "max_order_notional",
            "must be at most max_position_notional, 500",
        ),
        (
            {"max_net_leverage": "2.1", "max_gross_leverage": "2"},
            "max_net_leverage",
            "must be at most max_gross_leverage, 2",
        ),
        (
            {"max_var_percent": "3", "max_cvar_percent": "2.5"},
            "max_var_percent",
            "must be at most max_cvar_percent, 2.5",
        ),
        (
            {"max_allocation_percent": "30", "max_symbol_exposure_percent": "25"},
            "max_allocation_percent",
            "must be at most max_symbol_exposure_percent, 25",
        ),
        ({"max_daily_loss_percent": "101"}, "max_daily_loss_percent", "less than or equal to 100"),
        ({"max_drawdown_percent": "100.5"}, "max_drawdown_percent", "less than or equal to 100"),
        ({"var_confidence": "0.5"}, "var_confidence", "greater than 0.5"),
        ({"var_confidence": "1"}, "var_confidence", "less than 1"),
        (
            {"max_var_percent": "5", "var_confidence": "0.999"},
            "var_window",
            "must be at least 1000 bars",
        ),
        ({"var_window": 29}, "var_window", "greater than or equal to 30"),
        ({"on_breach": "active"}, "on_breach", "must be reducing or halted"),
        ({"allowed_symbols": []}, "allowed_symbols", "at least 1"),
        ({"allowed_symbols": ["ACME", "NOPE"]}, "allowed_symbols", "no instrument 'NOPE'"),
        ({"max_order_notional": "9.99"}, "max_order_notional", "must be at least 10"),
        ({"max_position_notional": "9"}, "max_position_notional", "must be at least 10"),
        ({"max_open_orders": -1}, "max_open_orders", "greater than or equal to 0"),
        ({"cooldown_seconds": 0}, "cooldown_seconds", "greater than or equal to 1"),
        ({"var_method": "guess"}, "var_method", "cornish_fisher"),
    ],
)
def test_contradictory_limits_are_refused_and_the_field_says_what_would_be_right(
    limits: dict[str, Any], field: str, said: str
) -> None:
    assert said in refused(limits)[field]


def test_every_contradiction_is_named_at_once() -> None:
    limits = {
        "max_order_notional": "600",
        "max_position_notional": "500",
        "max_net_leverage": "3",
        "max_gross_leverage": "2",
        "on_breach": "active",
    }
    assert set(refused(limits)) == {"max_order_notional", "max_net_leverage", "on_breach"}


def test_limits_that_only_touch_are_no_contradiction() -> None:
    limits = {
        "max_order_notional": "500",
        "max_position_notional": "500",
        "max_net_leverage": "2",
        "max_gross_leverage": "2",
        "max_var_percent": "3",
        "max_cvar_percent": "3",
        "allowed_symbols": ["ACME"],
    }
    found = good("PUT", "/risk/main/limits", limits)
    assert {name: found[name] for name in limits} == limits


def test_every_limit_can_be_set_and_read_and_left_out() -> None:
    fields = set(RiskLimits.model_fields)
    assert set(LimitsIn.model_fields) == fields - {"version"}
    assert set(LimitsOut.model_fields) == fields
    nothing = good("PUT", "/risk/main/limits", {})
    assert {v for k, v in nothing.items() if k.startswith("max_")} == {None}


def test_a_limit_on_losses_can_be_measured_from_the_moment_it_is_set() -> None:
    good("PUT", "/risk/main/limits", {"max_daily_loss": "100", "max_drawdown_percent": "5"})
    verdict = good("POST", "/risk/main/evaluate", {"symbol": "ACME", "side": "buy", "quantity": 1})
    by_rule = {result["rule"]: result for result in verdict["results"]}
    assert verdict["passed"]
    assert (by_rule["daily_loss"]["value"], by_rule["daily_loss"]["limit"]) == ("0", "100")
    assert by_rule["drawdown"]["value"] == "0"


def test_a_loss_beyond_its_limit_rejects_new_risk_and_lets_the_holding_go() -> None:
    place("20")
    good("PUT", "/risk/main/limits", {"max_daily_loss": "100"})
    set_price("94")
    refused_order = place("1")
    assert (refused_order.status, refused_order.json["order"]["reason"]) == (422, "daily_loss")
    assert place("20", "sell").status == 201


def test_a_value_at_risk_limit_without_its_state_fails_closed_and_says_what_to_do() -> None:
    good("PUT", "/risk/main/limits", {"max_var_percent": "5", "max_volatility_percent": "50"})
    answer = place("1")
    sentences = {r["rule"]: r["message"] for r in answer.json["risk"] if not r["passed"]}
    assert answer.status == 422
    assert set(sentences) == {"var", "volatility"}
    assert "the tail state of 'main' was never computed" in sentences["var"]
    assert "POST /risk/main/var/refresh" in sentences["var"]


@pytest.mark.parametrize(
    "more",
    [
        {"type": "limit", "limit_price": "95"},
        {"type": "stop", "stop_price": "110"},
        {"type": "stop_limit", "stop_price": "110", "limit_price": "111"},
        {"type": "trailing_stop", "trail_percent": "5"},
        {"type": "limit", "limit_price": "95", "time_in_force": "fok"},
        {
            "type": "limit",
            "limit_price": "95",
            "time_in_force": "gtd",
            "expires_at": "2199-01-01T00:00:00Z",
        },
        {"take_profit": {"limit_price": "120"}, "stop_loss": {"trail_percent": "5"}},
        {"reduce_only": True},
    ],
)
def test_a_what_if_takes_every_term_of_an_order_and_writes_nothing(more: dict[str, Any]) -> None:
    before = books()
    body = {"symbol": "ACME", "side": "buy", "quantity": "2", **more}
    verdict = good("POST", "/risk/main/evaluate", body)
    assert verdict["passed"] is ("reduce_only" not in more)
    assert [r["rule"] for r in verdict["results"]] == [rule.name for rule in ALL_RULES]
    assert all(r["message"] for r in verdict["results"])
    assert books() == before
    assert good("GET", "/risk/main/decisions")["items"] == []


def test_a_what_if_is_the_verdict_that_placing_the_order_gets() -> None:
    body = {"symbol": "ACME", "side": "buy", "quantity": "1000"}
    foreseen = good("POST", "/risk/main/evaluate", body)
    placed = place("1000")
    kept = good("GET", "/risk/main/decisions")["items"][0]
    assert placed.json["risk"] == kept["results"]
    age = {"stale_price"}  # the price is a moment older by then
    assert [r for r in foreseen["results"] if r["rule"] not in age] == [
        r for r in kept["results"] if r["rule"] not in age
    ]


def test_a_what_if_of_an_unknown_symbol_or_a_bad_term_names_the_field() -> None:
    bad = {
        "symbol": {"symbol": "NOPE", "side": "buy", "quantity": "1"},
        "limit_price": {"symbol": "ACME", "side": "buy", "quantity": "1", "type": "limit"},
        "oco_order_id": {
            "symbol": "ACME",
            "side": "buy",
            "quantity": "1",
            "type": "limit",
            "limit_price": "90",
            "oco_order_id": "ord_" + "0" * 32,
        },
    }
    for field, body in bad.items():
        answer = call("POST", "/risk/main/evaluate", body)
        assert answer.status == 422
        assert [error["field"] for error in answer.json["errors"]] == [field]


def test_verdicts_can_be_asked_for_by_outcome_and_symbol_page_by_page() -> None:
    for quantity in ("1", "1000", "1", "1000", "1"):
        place(quantity)
    failed = good("GET", "/risk/main/decisions?passed=false")
    assert [v["passed"] for v in failed["items"]] == [False, False]
    assert failed["cursor"] is None
    pages, cursor = [], ""
    while True:
        page = good("GET", f"/risk/main/decisions?passed=true&symbol=ACME&limit=2{cursor}")
        pages.append([v["passed"] for v in page["items"]])
        if page["cursor"] is None:
            break
        cursor = f"&cursor={page['cursor']}"
    assert pages == [[True, True], [True]]
    assert good("GET", "/risk/main/decisions?symbol=OTHER")["items"] == []
    everything = good("GET", "/risk/main/decisions?limit=5")
    assert (len(everything["items"]), everything["cursor"]) == (5, None)
