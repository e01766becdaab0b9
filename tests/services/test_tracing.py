"""One trace from a request or a schedule through the queue to the fill, sent by OTLP."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.support.aws import ROOT
from tests.support.collector import Collector, collecting
from tests.support.floor import call, drain, good, open_floor, place, set_price
from tests.support.http import Context

REMOTE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def collector(account: None, environment: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A traced process; what the preparations send is forgotten."""
    from trading import tracing

    open_floor()
    with collecting() as found:
        environment.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.address)
        environment.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=secret-of-the-collector")
        tracing.close()
        yield found
        tracing.close()


def recommend() -> None:
    body = {"portfolio_id": "main", "symbol": "ACME", "side": "buy", "quantity": "5"}
    good("POST", "/recommendations", body, key="r1")


def test_a_request_is_one_trace_through_the_queue_to_the_fill(collector: Collector) -> None:
    recommend()
    assert drain() == {"batchItemFailures": []}
    request = collector.one("POST /recommendations")
    fill = collector.one("commit fill")
    assert collector.ancestors(fill) == [
        "execution queue process",
        "execution queue send",
        "POST /recommendations",
    ]
    assert request.parent == ""
    assert fill.trace == request.trace
    assert fill.attributes["portfolio.id"] == "main"
    assert fill.attributes["order.status"] == "filled"
    assert fill.attributes["fill.id"]
    assert request.attributes["http.response.status_code"] == 201


def test_a_message_that_the_relay_sends_goes_on_with_the_trace_of_its_request(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recommendations.handler import on_relay
    from trading.desk import desk

    with monkeypatch.context() as broken:
        broken.setattr(desk().queue, "send", lambda _: [])
        recommend()
    assert on_relay({}, Context())["sent"] == 1
    assert drain() == {"batchItemFailures": []}
    fill = collector.one("commit fill")
    assert collector.ancestors(fill) == ["execution queue process", "POST /recommendations"]
    assert fill.trace == collector.one("POST /recommendations").trace


def test_every_call_to_aws_is_a_span_below_what_made_it(collector: Collector) -> None:
    recommend()
    drain()
    sent = collector.one("SQS.SendMessageBatch")
    assert collector.ancestors(sent)[0] == "execution queue send"
    written = [
        s
        for s in collector.named("DynamoDB.TransactWriteItems")
        if collector.ancestors(s)[:2] == ["commit fill", "execution queue process"]
    ]
    assert len(written) == 1
    traces = {collector.one("POST /recommendations").trace}
    queue = [s for s in collector.spans if "execution queue process" in collector.ancestors(s)]
    assert {s.trace for s in queue} == traces


def test_a_schedule_is_one_trace_through_the_queue_to_the_fill(collector: Collector) -> None:
    from recommendations.handler import on_schedule

    now = datetime.now(UTC).isoformat()
    signal = {"source": "desk", "strategy": "view", "symbol": "ACME", "score": "1", "time": now}
    good("POST", "/signals", signal, key="s1")
    assert on_schedule({}, Context())["sent"] == 1
    drain()
    fill = collector.one("commit fill")
    assert collector.ancestors(fill)[-1] == "recommendations on_schedule"


def test_a_client_s_trace_goes_on(collector: Collector) -> None:
    place()
    call("GET", "/portfolio/main", headers={"traceparent": REMOTE})
    span = collector.one("GET /portfolio/{pid}")
    assert span.trace == REMOTE.split("-")[1]
    assert span.parent == REMOTE.split("-")[2]
    assert collector.one("POST /orders").trace != span.trace


@pytest.mark.parametrize("header", ["", "00-zz-zz-01", "x" * 500])
def test_a_context_that_is_not_one_begins_a_new_trace(collector: Collector, header: str) -> None:
    assert call("GET", "/portfolio/main", headers={"traceparent": header}).status == 200
    assert collector.one("GET /portfolio/{pid}").parent == ""


def test_a_fault_is_marked_and_so_is_what_raises(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    from execution import handler

    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(handler, "match_orders", broken)
    with pytest.raises(RuntimeError):
        handler.on_schedule({}, Context())
    assert collector.one("execution on_schedule").failed


def test_a_call_to_a_venue_is_a_span(collector: Collector) -> None:
    from trading import tracing
    from trading.adapters.venues.ccxt_candles import CcxtCandles
    from trading.desk import desk

    class Empty:
        def fetch_ohlcv(self, *_: object) -> list[object]:
            return []

    (instrument,) = desk().market.instruments()
    assert CcxtCandles("kraken", Empty()).candles(instrument, "1h", datetime.now(UTC)) == []
    tracing.flush()
    assert collector.one("kraken fetch_ohlcv").attributes["venue"] == "kraken"


def test_the_collector_gets_its_header_and_no_key(collector: Collector) -> None:
    place()
    assert collector.headers[0]["authorization"] == "secret-of-the-collector"
    assert "X-TRADING-API-KEY" not in str(collector.spans)


def test_a_collector_that_is_not_there_holds_nothing_up(
    account: None, environment: pytest.MonkeyPatch
) -> None:
    from trading import tracing

    open_floor()
    environment.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    tracing.close()
    try:
        assert place().status == 201
    finally:
        tracing.close()


def test_without_an_endpoint_the_sdk_of_opentelemetry_is_not_imported(account: None) -> None:
    # Its API alone is, by FastAPI.
    program = (
        "import sys, execution.handler, market.handler, authorizer.handler\n"
        "from execution.handler import on_schedule\n"
        "from trading import tracing\n"
        "with tracing.span('a', 'server', {}) as span: span.note(b=1)\n"
        "tracing.inject({}), tracing.flush()\n"
        "parts = ('sdk', 'exporter', 'instrumentation', 'proto')\n"
        "unwanted = tuple(f'opentelemetry.{part}' for part in parts)\n"
        "sys.exit(any(name.startswith(unwanted) for name in sys.modules))"
    )
    paths = [str(ROOT / "functions"), str(ROOT / "layers" / "shared")]
    code = f"import sys; sys.path[:0] = {paths}\n{program}"
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == 0
    open_floor()
    assert place().status == 201
    set_price("101")
