"""Performance over HTTPS: deposits and withdrawals are valued at their moment, periods are kept."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from portfolio.handler import on_schedule as snapshot_schedule
from tests.support.floor import call, good, open_floor, place
from tests.support.http import Context

DAYS = [f"2026-03-{day:02d}T12:00:00Z" for day in range(1, 31)]


@pytest.fixture(autouse=True)
def floor(account: None) -> None:
    """A portfolio by the market's clock, wholly in ACME at 100 on the first day."""
    policy = {"symbols": ["OLD"]}
    instrument = {
        "base_currency": "OLD",
        "quote_currency": "USD",
        "tick_size": "0.01",
        "lot_size": "1",
        "min_notional": "10",
        "max_price_age_seconds": 3600,
    }
    good("PUT", "/market/instruments/OLD", instrument)
    quote(0, "100")
    open_floor("main", "1000", clock="market", policy=policy, commission_rate="0")
    assert place("10", symbol="OLD").json["execution_status"] == "filled"
    snapshot()


def quote(day: int, price: str) -> None:
    prices = [{"symbol": "OLD", "price": price, "time": DAYS[day]}]
    good("POST", "/market/prices", {"prices": prices})


def snapshot() -> None:
    snapshot_schedule({"portfolio_ids": ["main"]}, Context())


def move(kind: str, amount: str) -> Any:
    body = {"type": kind, "currency": "USD", "amount": amount}
    return good("POST", "/portfolio/main/holdings/update", body, key=f"{kind}{amount}")


def performance(query: str = "") -> Any:
    return good("GET", f"/portfolio/main/performance{query}")


def test_a_deposit_between_two_snapshots_is_valued_when_it_happens() -> None:
    quote(1, "110")
    move("deposit", "8900")
    quote(2, "99")
    snapshot()
    found = performance()
    # The holding went from 1,000 to 1,100, then 10,000 in all from there to 9,890.
    expected = Decimal("1.1") * Decimal("0.989") - 1
    assert Decimal(found["time_weighted_return"]) == expected
    assert found["net_profit"] == "-10"
    assert [p["equity"] for p in found["equity"]] == ["1000", "10000", "9890"]
    assert [p["capital"] for p in found["equity"]] == ["1000", "9900", "9900"]
    assert Decimal(found["money_weighted_return"]) < 0 < Decimal(found["time_weighted_return"])
    assert Decimal(found["max_drawdown"]) == Decimal("0.011")
    assert (found["drawdown_start"], found["drawdown_end"]) == (DAYS[1], DAYS[2])


def test_money_that_comes_and_goes_at_one_moment_leaves_every_figure_alone() -> None:
    quote(1, "110")
    snapshot()
    quote(2, "121")
    snapshot()
    before = performance()
    move("deposit", "500")
    move("withdrawal", "200")
    move("withdrawal", "300")
    snapshot()
    assert performance() == before
    assert before["time_weighted_return"] == before["money_weighted_return"] == "0.21"
    assert before["volatility"] == "0"


def test_a_repeated_deposit_is_valued_once_and_a_refused_one_never() -> None:
    quote(1, "110")
    move("deposit", "500")
    move("deposit", "500")
    body = {"type": "withdrawal", "currency": "USD", "amount": "501"}
    assert call("POST", "/portfolio/main/holdings/update", body, key="much").status == 422
    found = performance()
    assert (found["snapshots"], found["equity"][-1]["equity"]) == (2, "1600")
    assert found["net_profit"] == "100"


def test_a_period_is_measured_by_the_snapshots_within_it() -> None:
    for day, price in enumerate(("110", "99", "198"), start=1):
        quote(day, price)
        snapshot()
    found = performance(f"?start={DAYS[1]}&end={DAYS[2]}")
    assert (found["start"], found["end"], found["snapshots"]) == (DAYS[1], DAYS[2], 2)
    assert Decimal(found["time_weighted_return"]) == Decimal("-0.1")
    assert found["net_profit"] == "-110"
    empty = performance(f"?start={DAYS[20]}")
    assert (empty["snapshots"], empty["money_weighted_return"]) == (0, None)
    assert "no two equity snapshots" in empty["money_weighted_note"]
    refused = call("GET", f"/portfolio/main/performance?start={DAYS[2]}&end={DAYS[1]}")
    assert refused.status == 422
    assert "start" in refused.text


def test_what_cannot_be_measured_yet_is_null_with_the_reason() -> None:
    found = performance()
    assert found["money_weighted_return"] is found["money_weighted_annual"] is None
    assert "no two equity snapshots" in found["money_weighted_note"]
    assert found["volatility"] is None
    quote(1, "110")
    snapshot()
    found = performance()
    assert (found["money_weighted_return"], found["money_weighted_annual"]) == ("0.1", None)
    assert found["money_weighted_note"] == "less than a year is not annualised"
