"""What services count for CloudWatch, read from their log as CloudWatch reads it."""

import io
import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from tests.support.floor import INSTRUMENT, call, drain, good, open_floor, place, set_price
from tests.support.http import Context
from trading.telemetry import logger

Read = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def measured(account: None, capsys: pytest.CaptureFixture[str]) -> Read:
    """Reads the metrics that were written since it was last called."""
    open_floor()
    capsys.readouterr()

    def read() -> list[dict[str, Any]]:
        lines = capsys.readouterr().out.splitlines()
        return [m for m in map(json.loads, lines) if "_aws" in m]

    return read


def values(found: list[dict[str, Any]], name: str, **by: str) -> list[float]:
    """What was measured under a name and dimensions, the directive being as it should be."""
    numbers: list[float] = []
    for line in found:
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "Trading"
        (dimensions,) = directive["Dimensions"]
        if name in line and {d: line[d] for d in dimensions if d != "service"} == by:
            assert line["service"] == "test"
            numbers += line[name]
    return numbers


def test_a_request_is_counted_with_its_latency(measured: Read) -> None:
    call("GET", "/orders")
    found = measured()
    assert values(found, "Requests") == [1]
    (latency,) = values(found, "Latency")
    assert 0 < latency < 20_000
    assert values(found, "Faults") == []


def test_a_fault_is_counted(measured: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    from execution import routes

    def broken() -> None:
        raise RuntimeError

    monkeypatch.setattr(routes, "desk", broken)
    assert call("GET", "/orders").status == 500
    assert values(measured(), "Faults") == [1]


def test_orders_are_counted_by_outcome_once(measured: Read) -> None:
    place("1", key="a")
    place("1", key="a")
    place("1", type="limit", limit_price="90")
    found = measured()
    assert values(found, "Orders", outcome="filled") == [1]
    assert values(found, "Orders", outcome="accepted") == [1]
    assert values(found, "Fills") == [1]
    assert values(found, "Requests") == [1, 1, 1]


def test_rejections_are_counted_by_rule(measured: Read) -> None:
    place("1000")
    found = measured()
    assert values(found, "Orders", outcome="rejected") == [1]
    assert values(found, "RiskRejections", rule="cash_available") == [1]


def test_a_price_that_fills_a_resting_order_is_counted_where_it_happens(measured: Read) -> None:
    from execution.handler import on_schedule

    place("1", type="limit", limit_price="90")
    set_price("80")
    measured()
    on_schedule({}, Context())
    assert values(measured(), "Orders", outcome="filled") == [1]


def test_signals_are_counted_by_source_once(measured: Read) -> None:
    signal = {
        "source": "desk",
        "strategy": "view",
        "symbol": "ACME",
        "score": "1",
        "time": "2026-01-01T00:00:00Z",
    }
    good("POST", "/signals", signal, key="s")
    call("POST", "/signals", signal)
    assert values(measured(), "Signals", source="desk") == [1]


def test_the_queue_s_age_and_recommendations_are_measured(measured: Read) -> None:
    body = {"portfolio_id": "main", "symbol": "ACME", "side": "buy", "quantity": "5"}
    good("POST", "/recommendations", body, key="r")
    good("POST", "/recommendations", body | {"quantity": "5000"}, key="big")
    found = measured()
    assert values(found, "Recommendations", outcome="pending") == [1]
    assert values(found, "RiskRejections", rule="cash_available") == [1]
    drain()
    (age,) = values(measured(), "QueueAge")
    assert 0 <= age < 60_000


def test_a_venue_s_latency_is_measured_when_it_fails_too(measured: Read) -> None:
    from datetime import UTC, datetime

    import ccxt

    from trading import measures
    from trading.adapters.venues.ccxt_candles import CcxtCandles
    from trading.desk import desk
    from trading.domain.errors import Unavailable

    class Silent:
        def fetch_ohlcv(self, *_: object) -> list[object]:
            raise ccxt.NetworkError("silent")

    (instrument,) = desk().market.instruments()
    measures.begin()
    with pytest.raises(Unavailable):
        CcxtCandles("kraken", Silent()).candles(instrument, "1h", datetime.now(UTC))
    measures.flush()
    assert len(values(measured(), "VenueLatency", venue="kraken")) == 1


def test_a_stale_price_and_the_drawdown_are_measured(
    measured: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    from risk.handler import on_measure, on_schedule
    from trading import bootstrap

    good("PUT", "/risk/main/limits", {"max_drawdown_percent": 50})
    place("50")
    on_schedule({}, Context())
    on_measure({}, Context())
    found = measured()
    assert values(found, "StalePrices") == []
    set_price("80")
    monkeypatch.setattr(bootstrap, "wall_clock", lambda now=bootstrap.wall_clock: now() + hours)
    hours = timedelta(hours=2)
    assert on_measure({}, Context())["stale_prices"] == 1
    found = measured()
    assert values(found, "StalePrices") == [1]
    # Of 10,000 at the peak, 5 went as commission and 20 with each of 50 units.
    assert values(found, "Drawdown") == [10.05]


def break_the_books() -> None:
    """Change a position past the ledger."""
    from trading import bootstrap

    bootstrap.store().update_item(
        "PortfolioTable",
        {"pk": "PORTFOLIO#main", "sk": "POSITION#ACME"},
        "SET quantity = :q",
        {":q": 99},
    )


def test_differences_of_the_books_are_counted(measured: Read) -> None:
    place("5")
    good("POST", "/orders/reconcile", {})
    assert values(measured(), "ReconciliationDifferences") == []
    break_the_books()
    differences = good("POST", "/orders/reconcile", {})["differences"]
    assert differences
    assert values(measured(), "ReconciliationDifferences") == [len(differences)]


def test_a_portfolio_that_cannot_be_valued_keeps_no_measurement_back(
    measured: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    from risk.handler import on_measure
    from trading import bootstrap
    from trading.domain.errors import MissingRate

    good("PUT", "/portfolio/abroad", {"base_currency": "USD", "cash": "100"})
    rate = INSTRUMENT | {"base_currency": "JPY", "tick_size": "0.0001"}
    good("PUT", "/market/instruments/JPY-USD", rate)
    good("POST", "/market/prices", {"prices": [{"symbol": "JPY-USD", "price": "0.0065"}]})
    deposit = {"type": "deposit", "currency": "JPY", "amount": 9}
    good("POST", "/portfolio/abroad/holdings/update", deposit, key="yen")
    gone = {"pk": {"S": "PRICES"}, "sk": {"S": "JPY-USD"}}
    boto3.client("dynamodb").delete_item(TableName="MarketTable", Key=gone)
    place("50")
    hours = timedelta(hours=2)
    monkeypatch.setattr(bootstrap, "wall_clock", lambda now=bootstrap.wall_clock: now() + hours)
    with pytest.raises(MissingRate):
        on_measure({}, Context())
    assert values(measured(), "StalePrices") == [1]


def test_the_schedule_compares_the_books_and_counts_what_lasts(measured: Read) -> None:
    from execution.handler import on_reconcile

    place("5")
    assert on_reconcile({}, Context()) == {"compared": 1, "differences": 0, "unknown": 0}
    assert values(measured(), "ReconciliationDifferences") == []
    break_the_books()
    answer = on_reconcile({"portfolio_ids": ["main", "nobody"]}, Context())
    assert (answer["compared"], answer["unknown"]) == (1, 1)
    assert answer["differences"] >= 1
    assert values(measured(), "ReconciliationDifferences") == [answer["differences"]]


def test_a_trade_between_two_looks_is_no_difference(
    measured: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trading.desk import desk
    from trading.usecases import reconcile

    place("5")
    stale = desk().books.portfolio("main")
    place("2")
    looks = iter([stale])
    real = desk().books.portfolio
    monkeypatch.setattr(desk().books, "portfolio", lambda pid: next(looks, None) or real(pid))
    assert reconcile.lasting_differences(desk(), "main") == []
    assert next(looks, None) is None


def test_an_invocation_that_fails_is_logged_with_its_id_and_raised(
    measured: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    from execution import handler

    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(handler, "match_orders", broken)
    buffer = io.StringIO()
    before = logger.registered_handler.setStream(buffer)
    with pytest.raises(RuntimeError):
        handler.on_schedule({"correlation_id": "abc"}, Context())
    logger.registered_handler.setStream(before)
    (line,) = map(json.loads, buffer.getvalue().splitlines())
    assert (line["level"], line["correlation_id"]) == ("ERROR", "abc")
