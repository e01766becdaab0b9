"""The stop manager on tables: every price is seen, every trigger makes one exit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from risk.handler import on_prices, on_schedule
from tests.support.floor import books, call, drain, good, open_floor, place, set_price
from tests.support.http import Context
from trading import bootstrap

NO_EXIT = {"armed": 1, "triggered": 0, "exits": 0, "unreadable": 0}
EXIT = {"armed": 1, "triggered": 1, "exits": 1, "unreadable": 0}


@pytest.fixture(autouse=True)
def floor(account: None) -> None:
    open_floor()
    place("10")


def arm(kind: str = "fixed", **terms: Any) -> Any:
    stop = {"id": "s", "symbol": "ACME", "kind": kind, **terms}
    return good("PUT", "/risk/main/stops", {"stops": [stop]})["stops"][0]


def stop_now() -> Any:
    return good("GET", "/risk/main/stops")["stops"][0]


def record(price: str, symbol: str = "ACME") -> dict[str, Any]:
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    image = {"symbol": {"S": symbol}, "price": {"N": price}, "time": {"S": moment}}
    place_ = {"pk": {"S": "PRICES"}, "sk": {"S": symbol}}
    return {
        "eventName": "MODIFY",
        "dynamodb": {"Keys": place_, "NewImage": {**place_, **image, "source": {"S": "test"}}},
    }


def shown(records: list[dict[str, Any]]) -> dict[str, int]:
    """Hand a batch of the stream to the stops; what it says of stops."""
    counts = on_prices({"Records": records}, Context())
    return {name: counts[name] for name in NO_EXIT}


def tell(*prices: str) -> dict[str, int]:
    """Post prices, and show their changes to the stops as the stream does."""
    records = []
    for price in prices:
        set_price(price)
        records.append(record(price))
    return shown(records)


def sells() -> list[Any]:
    return [o for o in good("GET", "/orders")["items"] if o["side"] == "sell"]


def test_a_price_that_crosses_makes_the_exit_at_once_and_once() -> None:
    arm(price="90")
    assert tell("95") == NO_EXIT
    assert tell("89") == EXIT
    assert tell("88") == {**NO_EXIT, "armed": 0}
    on_schedule({}, Context())
    drain()
    assert [(o["quantity"], o["execution_status"]) for o in sells()] == [("10", "filled")]
    assert books()["positions"]["ACME"].quantity == 0


def test_a_dip_between_two_prices_of_one_batch_is_seen() -> None:
    arm(price="90")
    assert tell("89", "101") == EXIT


def test_the_same_records_again_make_no_second_exit() -> None:
    arm(price="90")
    set_price("80")
    seen = [record("80"), record("80")]
    assert shown(seen) == EXIT
    for _ in range(3):
        shown(seen)
        drain()
    assert len(sells()) == 1
    assert len(good("GET", "/recommendations")["items"]) == 1


def test_a_gap_through_the_stop_leaves_at_the_market() -> None:
    arm(price="90")
    tell("50")
    drain()
    assert [o["average_price"] for o in sells()] == ["50"]


def test_trailing_by_an_amount_follows_prices_of_the_stream() -> None:
    arm("trailing", trail_amount="5")
    assert tell("120", "116") == NO_EXIT
    assert stop_now()["trigger_price"] == "115"
    assert tell("115") == EXIT


def test_a_stop_and_a_take_profit_of_one_holding_do_not_both_leave() -> None:
    stops = [
        {"id": "low", "symbol": "ACME", "kind": "fixed", "price": "90"},
        {"id": "high", "symbol": "ACME", "kind": "take_profit", "price": "110"},
    ]
    good("PUT", "/risk/main/stops", {"stops": stops})
    set_price("80")
    set_price("120")
    counts = on_prices({"Records": [record("80"), record("120")]}, Context())
    assert (counts["armed"], counts["exits"]) == (2, 1)
    tell("121")
    drain()
    assert [(o["quantity"], o["execution_status"]) for o in sells()] == [("10", "filled")]


def test_a_time_stop_leaves_by_the_portfolios_clock(environment: pytest.MonkeyPatch) -> None:
    arm("time", after_seconds=600)
    assert on_schedule({}, Context())["exits"] == 0
    later = datetime.now(UTC) + timedelta(minutes=10)
    environment.setattr(bootstrap, "wall_clock", lambda: later)
    assert on_schedule({}, Context())["exits"] == 1


def candle(day: datetime, low: str, high: str, close: str = "100") -> dict[str, str]:
    return {
        "time": day.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "open": "100", "high": high, "low": low, "close": close, "volume": "1000000",
    }  # fmt: skip


def replay(*bars: dict[str, str]) -> None:
    body = {"symbol": "ACME", "timeframe": "1d", "candles": list(bars)}
    good("POST", "/market/candles", body)


@pytest.fixture
def replayed() -> datetime:
    """A portfolio on the market's clock that holds 10 ACME in the past; returns its today."""
    today = datetime(2024, 3, 1, tzinfo=UTC)
    good("PUT", "/market/instruments/OLD", {
        "base_currency": "OLD", "quote_currency": "USD", "tick_size": "0.01", "lot_size": "1",
        "min_notional": "1", "max_price_age_seconds": 3600,
    })  # fmt: skip
    history = [candle(today - timedelta(days=i), "95", "105") for i in range(20, 0, -1)]
    body = {"symbol": "OLD", "timeframe": "1d", "candles": history}
    good("POST", "/market/candles", body)
    terms = {"base_currency": "USD", "cash": "10000", "clock": "market"}
    good("PUT", "/portfolio/past", {**terms, "policy": {"symbols": ["OLD"]}})
    good("PUT", "/risk/past/limits", {})
    assert place("10", portfolio_id="past", symbol="OLD").status == 201
    return today


def post_old(*bars: dict[str, str]) -> None:
    good("POST", "/market/candles", {"symbol": "OLD", "timeframe": "1d", "candles": list(bars)})


def arm_old(kind: str, **terms: Any) -> Any:
    stop = {"id": "s", "symbol": "OLD", "kind": kind, **terms}
    return good("PUT", "/risk/past/stops", {"stops": [stop]})["stops"][0]


def test_the_schedule_honours_the_lows_of_bars_that_prices_never_showed(
    replayed: datetime,
) -> None:
    arm_old("fixed", price="92")
    post_old(candle(replayed, "93", "105"), candle(replayed + timedelta(days=1), "91", "105"))
    assert on_schedule({"portfolio_ids": ["past"]}, Context())["exits"] == 1


def test_bars_from_before_the_stop_do_not_set_it_off(replayed: datetime) -> None:
    arm_old("fixed", price="96")
    assert on_schedule({"portfolio_ids": ["past"]}, Context())["exits"] == 0


def test_an_atr_stop_stands_its_multiple_below_the_peak_and_is_measured_anew(
    replayed: datetime,
) -> None:
    armed = arm_old("atr", atr_multiple="2")
    assert (armed["atr"], armed["since"] is not None) == ("10", True)
    on_schedule({"portfolio_ids": ["past"]}, Context())
    assert good("GET", "/risk/past/stops")["stops"][0]["trigger_price"] == "80"
    post_old(candle(replayed, "99", "101"))
    on_schedule({"portfolio_ids": ["past"]}, Context())
    seen = good("GET", "/risk/past/stops")["stops"][0]
    assert (seen["peak"], float(seen["atr"]) < 10) == ("101", True)
    assert float(seen["trigger_price"]) == pytest.approx(101 - 2 * float(seen["atr"]))


def test_an_atr_stop_needs_candles() -> None:
    body = {"stops": [{"id": "s", "symbol": "ACME", "kind": "atr", "atr_multiple": "2"}]}
    refused = call("PUT", "/risk/main/stops", body)
    assert refused.status == 422
    assert "candles" in refused.text


def test_a_stop_whose_units_are_all_promised_stays_armed() -> None:
    arm(price="90")
    resting = place("10", "sell", type="limit", limit_price="150").json
    assert tell("80") == NO_EXIT
    good("DELETE", f"/orders/{resting['id']}")
    assert tell("79") == EXIT


def test_an_exit_that_came_to_nothing_arms_the_stop_again() -> None:
    arm(price="90")
    assert tell("80")["exits"] == 1
    good("POST", "/risk/main/halt", {"reason": "news"})
    drain()
    assert [o["execution_status"] for o in sells()] == ["rejected"]
    on_schedule({}, Context())
    assert stop_now()["state"] == "armed"
    good("POST", "/risk/main/resume")
    assert on_schedule({}, Context())["exits"] == 1
    drain()
    assert books()["positions"]["ACME"].quantity == 0


def test_a_stop_without_a_holding_waits_and_starts_its_peak_with_the_next_one() -> None:
    arm("trailing", trail_percent="10")
    tell("150")
    place("10", "sell")
    assert tell("120") == NO_EXIT
    assert stop_now()["peak"] is None
    set_price("100")
    place("5")
    assert tell("99") == NO_EXIT
    assert stop_now()["peak"] == "99"


def test_a_removed_stop_is_shown_no_price() -> None:
    arm(price="90")
    good("PUT", "/risk/main/stops", {"stops": []})
    assert tell("80") == {**NO_EXIT, "armed": 0}
    assert stop_now()["state"] == "removed"


def test_a_schedule_that_names_a_stranger_counts_it_and_goes_on() -> None:
    arm(price="90")
    set_price("80")
    counts = on_schedule({"portfolio_ids": ["nobody", "main"]}, Context())
    assert (counts["unknown"], counts["exits"]) == (1, 1)


def test_recommending_for_a_stranger_is_counted_and_goes_on() -> None:
    from recommendations.handler import on_schedule as recommend

    counts = recommend({"portfolio_ids": ["nobody", "main"]}, Context())
    assert counts == {"created": 0, "rejected": 0, "unknown": 1, "sent": 0, "unsent": 0}


@pytest.mark.parametrize(
    "terms",
    [
        {"kind": "trailing", "trail_percent": "5", "trail_amount": "1"},
        {"kind": "atr"},
        {"kind": "time"},
        {"kind": "time", "after_seconds": 0},
        {"kind": "time", "after_seconds": 5, "price": "1"},
        {"kind": "fixed", "price": "1", "timeframe": "1d"},
        {"kind": "atr", "atr_multiple": "1", "timeframe": "2d"},
        {"kind": "fixed", "price": "1", "holding": "flat"},
    ],
)
def test_a_stop_with_terms_that_do_not_fit_is_refused(terms: dict[str, Any]) -> None:
    stop = {"id": "s", "symbol": "ACME", **terms}
    assert call("PUT", "/risk/main/stops", {"stops": [stop]}).status == 422
