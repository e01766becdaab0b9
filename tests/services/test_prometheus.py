"""What scrapers read: parsed by Prometheus' own client, and equal to the books."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.floor import call, drain, good, open_floor, place, set_price
from tests.support.http import Context, invoke
from trading_cli.status import SERVICES

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(*prefixes: str) -> Samples:
    """Every sample of some services, as Prometheus reads it."""
    found: Samples = {}
    for prefix in prefixes or SERVICES:
        answer = call("GET", f"/{prefix}/metrics", scopes=["metrics:read"])
        assert answer.status == 200
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        for family in text_string_to_metric_families(answer.text):
            assert family.documentation
            assert family.type in ("gauge", "counter")
            for sample in family.samples:
                assert sample.name.startswith("trading_")
                place = (sample.name, frozenset(sample.labels.items()))
                assert place not in found
                found[place] = sample.value
    return found


def one(found: Samples, name: str, **labels: str) -> float:
    return found[name, frozenset(labels.items())]


@pytest.fixture(autouse=True)
def floor(account: None) -> Iterator[None]:
    open_floor(limits={"max_drawdown_percent": 50})
    return


def test_every_service_s_figures_are_valid_and_unlike_each_other() -> None:
    names = {name for name, _ in scrape()}
    assert {"trading_equity", "trading_cash", "trading_price_age_seconds"} <= names


def test_after_a_run_with_duplicates_they_say_what_the_books_say() -> None:
    from execution.handler import on_recommendations
    from risk.handler import on_schedule

    body = {"portfolio_id": "main", "symbol": "ACME", "side": "buy", "quantity": "10"}
    for _ in range(2):
        good("POST", "/recommendations", body, key="r1")
    drain()
    message = {
        "messageId": "m",
        "receiptHandle": "h",
        "body": '{"kind":"recommendation","correlation_id":"c","portfolio_id":"main",'
        f'"recommendation_id":"{good("GET", "/recommendations")["items"][0]["id"]}"}}',
        "attributes": {"MessageGroupId": "main", "SentTimestamp": "0"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:q.fifo",
    }
    assert on_recommendations({"Records": [message]}, Context()) == {"batchItemFailures": []}
    place("3", key="twice")
    place("3", key="twice")
    place("1000", key="much")
    place("1", type="limit", limit_price="90", key="rests")
    set_price("90.5")
    on_schedule({}, Context())
    found = scrape()

    books = good("GET", "/portfolio/main")
    positions = good("GET", "/portfolio/main/positions")["items"]
    orders = good("GET", "/orders?portfolio_id=main&limit=200")["items"]
    assert one(found, "trading_equity", portfolio="main", currency="USD") == float(books["equity"])
    cash = Decimal(str(books["cash"]["USD"] if isinstance(books["cash"], dict) else books["cash"]))
    assert one(found, "trading_cash", portfolio="main", currency="USD") == float(cash)
    held = sum(Decimal(str(p["quantity"])) for p in positions)
    assert held == 13
    exposure = one(found, "trading_exposure", portfolio="main", currency="USD")
    assert exposure == float(held * Decimal("90.5"))
    for status, reason in (("filled", ""), ("rejected", "cash_available"), ("accepted", "")):
        counted = one(
            found, "trading_orders", portfolio="main", execution_status=status, reason=reason
        )
        said = [o for o in orders if o["execution_status"] == status]
        assert counted == len(said) > 0
    assert one(found, "trading_recommendations", portfolio="main", execution_status="executed") == 1
    assert one(found, "trading_queue_messages", queue="execution") == 0
    assert one(found, "trading_queue_messages", queue="dead_letter") == 0
    assert one(found, "trading_queue_age_seconds", queue="execution") == 0
    assert one(found, "trading_active", portfolio="main", state="active") == 1
    assert one(found, "trading_orders_today", portfolio="main") == 3
    assert 0 < one(found, "trading_drawdown_percent", portfolio="main") < 2


def test_what_waits_for_execution_shows_its_age(monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    from trading import bootstrap

    body = {"portfolio_id": "main", "symbol": "ACME", "side": "buy", "quantity": "10"}
    good("POST", "/recommendations", body, key="r1")
    later = bootstrap.wall_clock() + timedelta(seconds=90)
    monkeypatch.setattr(bootstrap, "wall_clock", lambda: later)
    found = scrape("recommendations", "orders")
    assert 85 <= one(found, "trading_queue_age_seconds", queue="execution") <= 90
    assert one(found, "trading_queue_messages", queue="execution") == 1


def test_a_second_scrape_reads_nothing(environment: pytest.MonkeyPatch) -> None:
    from execution import handler
    from trading import bootstrap
    from trading.api.app import create_app, lambda_entry
    from trading.settings import settings

    environment.setenv("METRICS_CACHE_SECONDS", "60")
    settings.cache_clear()
    calls = []
    client = bootstrap.store()._client
    client.meta.events.register("before-call.*", lambda model, **_: calls.append(model.name))
    # An application of its own: what it remembers must not outlive the test.
    app = create_app(
        "scraped",
        "Scraped",
        prefix="/orders",
        checks={},
        metrics=handler._metrics,
        trail=bootstrap.audit_trail,
    )
    api = lambda_entry(app)

    first = invoke(api, "GET", "/orders/metrics").text
    read = len(calls)
    assert read > 0
    place("1")
    calls.clear()
    assert invoke(api, "GET", "/orders/metrics").text == first
    assert calls == []
