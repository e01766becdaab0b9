"""Losses on equity, open positions included, trip the trading state by themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from risk.handler import on_measure, on_prices, on_schedule
from tests.services.test_stop_manager import record
from tests.support.floor import books, call, good, open_floor, place, set_price
from tests.support.http import Context
from trading import bootstrap

LIMITS = {"max_daily_loss_percent": "5", "max_drawdown_percent": "10"}


@pytest.fixture(autouse=True)
def floor(account: None) -> None:
    open_floor(commission_rate="0", limits=LIMITS)
    place("50")


def tick(price: str) -> dict[str, int]:
    """Post a price and hand its change to the stream's function."""
    set_price(price)
    counts: dict[str, int] = on_prices({"Records": [record(price)]}, Context())
    return counts


def state() -> tuple[str, str | None]:
    account = books()["account"]
    return account.trading_state.value, account.trading_state_reason


def test_a_loss_of_the_day_trips_on_the_price_that_makes_it_and_names_its_figures() -> None:
    assert tick("100")["watched"] == 1
    assert tick("91")["tripped"] == 0  # 4.5 % of 10000
    assert tick("87.6")["tripped"] == 1
    assert state() == ("reducing", "daily loss 6.2 % is over the limit of 5 %")
    assert place("1").status == 422
    assert place("1", "sell").status == 201


def test_it_trips_once_and_nothing_is_loosened() -> None:
    tick("100")
    tick("80")
    before = books()["account"]
    assert tick("80")["tripped"] == 0
    assert on_schedule({}, Context())["tripped"] == 0
    tick("120")
    assert books()["account"].trading_state == before.trading_state


def test_a_state_that_is_tighter_already_stays() -> None:
    tick("100")
    good("POST", "/risk/main/halt", {"reason": "news"})
    tick("80")
    assert state() == ("halted", "news")


def test_a_drawdown_is_measured_from_the_peak_and_may_halt() -> None:
    good("PUT", "/risk/main/limits", {"max_drawdown_percent": "10", "on_breach": "halted"})
    tick("100")
    tick("140")  # 12000
    assert tick("116.5")["tripped"] == 0  # 10825, 9.8 % below
    assert tick("115")["tripped"] == 1
    assert state() == ("halted", "drawdown 10.42 % is over the limit of 10 %")


def test_a_trip_cancels_the_orders_that_would_add_risk_and_finishes_after_a_death(
    environment: pytest.MonkeyPatch,
) -> None:
    buy = place("5", type="limit", limit_price="50").json["id"]
    sale = place("5", "sell", type="limit", limit_price="200").json["id"]
    tick("100")
    with environment.context() as patch:
        patch.setattr("trading.usecases.halt.cancel_resting", _die)
        with pytest.raises(RuntimeError):
            tick("80")
    assert state()[0] == "reducing"
    on_schedule({}, Context())
    assert good("GET", f"/orders/{buy}")["execution_status"] == "cancelled"
    assert good("GET", f"/orders/{sale}")["execution_status"] == "accepted"


def _die(*_: Any, **__: Any) -> None:
    raise RuntimeError("killed")


def test_money_put_in_or_taken_out_is_neither_loss_nor_gain() -> None:
    tick("100")
    body = {"type": "withdrawal", "currency": "USD", "amount": "4000"}
    good("POST", "/portfolio/main/holdings/update", body, key="w")
    assert tick("100")["tripped"] == 0
    assert tick("95")["tripped"] == 0  # 250 of 6000
    assert tick("93")["tripped"] == 1  # 350 of 6000


def test_a_resumed_portfolio_trips_again_unless_its_losses_are_forgiven() -> None:
    tick("100")
    tick("85")
    assert good("POST", "/risk/main/resume")["trading_state"] == "active"
    assert tick("85")["tripped"] == 1
    assert good("POST", "/risk/main/resume", {"rebase": True})["trading_state"] == "active"
    assert tick("85")["tripped"] == 0
    assert state() == ("active", None)


def test_a_new_day_begins_at_its_first_equity(environment: pytest.MonkeyPatch) -> None:
    good("PUT", "/market/instruments/ACME", {
        "base_currency": "ACME", "quote_currency": "USD", "tick_size": "0.01", "lot_size": "1",
        "min_notional": "10", "max_price_age_seconds": 86400 * 9,
    })  # fmt: skip
    tick("100")
    tick("92")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    environment.setattr(bootstrap, "wall_clock", lambda: tomorrow)
    on_schedule({}, Context())
    tick("88")  # 2 % of the new day, 6 % of both
    assert state()[0] == "active"


def test_a_portfolio_without_loss_limits_or_without_the_symbol_is_not_read() -> None:
    good("PUT", "/portfolio/idle", {"base_currency": "USD", "cash": "1000"})
    good("PUT", "/risk/idle/limits", LIMITS)
    assert tick("100")["watched"] == 1
    good("PUT", "/risk/main/limits", {})
    assert tick("10")["watched"] == 0
    assert on_schedule({}, Context())["watched"] == 1


def test_exposure_is_kept_and_paged_newest_first() -> None:
    on_measure({}, Context())
    set_price("110")
    place("10", "sell")
    counts = on_measure({"portfolio_ids": ["main", "nobody"]}, Context())
    assert (counts["recorded"], counts["unknown"]) == (1, 1)
    now = good("GET", "/risk/main/exposure")
    assert (now["long"], now["short"], now["gross"], now["net"]) == ("4400", "0", "4400", "4400")
    assert now["sources"] == [{"source": "manual", "long": "4400", "short": "0", "net": "4400"}]
    first = good("GET", "/risk/main/exposure/history?limit=1")
    assert [e["gross"] for e in first["items"]] == ["4400"]
    second = good("GET", f"/risk/main/exposure/history?limit=1&cursor={first['cursor']}")
    assert ([e["gross"] for e in second["items"]], second["cursor"]) == (["5000"], None)
    start = first["items"][0]["time"]
    since = good("GET", f"/risk/main/exposure/history?start={start}")
    assert [e["gross"] for e in since["items"]] == ["4400"]
    assert call("GET", "/risk/nobody/exposure/history").status == 404
