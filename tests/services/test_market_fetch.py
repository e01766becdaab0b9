"""Candles are fetched from a venue: a real ccxt client speaks to a venue on this machine."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import ccxt
import pytest

from market.handler import on_schedule
from tests.support.http import Context
from trading import bootstrap
from trading.adapters.venues.ccxt_candles import CcxtCandles
from trading.desk import desk
from trading.domain.errors import InvalidInput, Unavailable
from trading.domain.instrument import Instrument

NOW = datetime(2024, 3, 1, 12, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
EXACT = "0.123456789012345678"
EVENT = {"symbols": ["BTC-USD"], "timeframe": "1h"}


class Venue(ThreadingHTTPServer):
    """Speaks the public part of Bitstamp's protocol; pairs without candles are answered 500."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), VenueHandler)
        self.candles: dict[str, list[dict[str, str]]] = {}
        self.asked: list[dict[str, list[str]]] = []
        self.markets_asked = 0

    def trade(self, pair: str, hours: range, close: str = "101.5") -> None:
        """Let candles open so many hours before the present one."""
        opens = [NOW.replace(minute=0) - hour * HOUR for hour in hours]
        self.candles[pair] = [
            {
                "timestamp": str(int(time.timestamp())), "open": "100", "high": "102",
                "low": "99.5", "close": close, "volume": EXACT,
            }
            for time in opens
        ]  # fmt: skip


class VenueHandler(BaseHTTPRequestHandler):
    server: Venue

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path.rstrip("/").endswith("/markets"):
            self.server.markets_asked += 1
            return self._answer(200, [self._market("BTC"), self._market("ETH")])
        pair = parts.path.rstrip("/").rpartition("/")[2]
        query = parse_qs(parts.query)
        self.server.asked.append(query)
        if pair not in self.server.candles:
            return self._answer(500, {"reason": "internal"})
        start = int(query["start"][0])
        rows = [c for c in self.server.candles[pair] if int(c["timestamp"]) >= start]
        return self._answer(200, {"data": {"pair": pair, "ohlc": rows}})

    @staticmethod
    def _market(base: str) -> dict[str, object]:
        return {
            "name": f"{base}/USD", "market_symbol": f"{base.lower()}usd", "base_currency": base,
            "base_decimals": 8, "counter_currency": "USD", "counter_decimals": 0,
            "minimum_order_value": "10", "trading": "Enabled", "market_type": "SPOT",
            "description": f"{base} / U.S. dollar",
        }  # fmt: skip

    def _answer(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Tests say what went wrong."""


@pytest.fixture
def venue(account: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Venue]:
    """A venue on this machine where ccxt looks for Bitstamp; the time stands still."""
    monkeypatch.setattr(bootstrap, "wall_clock", lambda: NOW)
    with Venue() as server:
        address = f"http://127.0.0.1:{server.server_port}/api"

        class Local(ccxt.bitstamp):  # type: ignore[misc]
            def __init__(self, config: dict[str, Any]) -> None:
                urls = {"urls": {"api": {"public": address, "private": address}}}
                super().__init__({**config, **urls, "rateLimit": 1})

            def close_session(self) -> None:
                self.session.close()

        made: list[Local] = []

        def make(config: dict[str, Any]) -> Local:
            made.append(Local(config))
            return made[-1]

        monkeypatch.setattr(ccxt, "bitstamp", make)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        for client in made:
            client.close_session()
        server.shutdown()
        thread.join()


def instrument(symbol: str, venue: str | None = "bitstamp") -> Instrument:
    return Instrument(
        symbol=symbol, base_currency=symbol[:3], quote_currency="USD",
        tick_size=Decimal("0.01"), lot_size=Decimal("0.0001"), min_notional=Decimal(10),
        max_price_age_seconds=3600, venue=venue,
        venue_symbol=symbol.replace("-", "/") if venue else None,
    )  # fmt: skip


def register(symbol: str, venue: str | None = "bitstamp") -> None:
    desk().market.put_instrument(instrument(symbol, venue))


def fetch(event: dict[str, Any] = EVENT) -> Any:
    return on_schedule(event, Context())


def test_closed_candles_are_stored_to_the_last_digit(venue: Venue) -> None:
    register("BTC-USD")
    venue.trade("btcusd", range(3, -1, -1))
    assert fetch() == {"created": 3, "unchanged": 0, "replaced": 0, "skipped": 0, "errors": {}}
    stored = desk().market.candles("BTC-USD", "1h")
    assert [c.time.hour for c in stored] == [9, 10, 11]
    assert {c.volume for c in stored} == {Decimal(EXACT)}


def test_the_price_and_the_clock_follow_the_newest_closed_candle(venue: Venue) -> None:
    register("BTC-USD")
    venue.trade("btcusd", range(2, -1, -1))
    fetch()
    (price,) = desk().market.latest_prices()
    assert (price.price, price.time) == (Decimal("101.5"), NOW.replace(minute=0))
    assert desk().market.clock() == price.time


def test_the_next_fetch_asks_from_the_newest_stored_candle_on(venue: Venue) -> None:
    register("BTC-USD")
    venue.trade("btcusd", range(3, 1, -1))
    fetch()
    venue.trade("btcusd", range(3, 0, -1))
    assert (fetch()["created"], fetch()["created"]) == (1, 0)
    newest_before = NOW.replace(minute=0) - 2 * HOUR
    assert venue.asked[1]["start"] == [str(int(newest_before.timestamp()))]


def test_symbols_of_one_venue_share_its_client(venue: Venue) -> None:
    for symbol, pair in (("ETH-USD", "ethusd"), ("BTC-USD", "btcusd")):
        register(symbol)
        venue.trade(pair, range(2, 0, -1))
    assert fetch({"symbols": ["ETH-USD", "BTC-USD"], "timeframe": "1h"})["created"] == 4
    assert venue.markets_asked == 1


def test_one_failing_symbol_is_reported_and_stops_nobody(venue: Venue) -> None:
    for symbol in ("ETH-USD", "BTC-USD"):
        register(symbol)
    venue.trade("btcusd", range(2, 0, -1))
    answer = fetch({"symbols": ["ETH-USD", "BTC-USD"], "timeframe": "1h"})
    assert answer["created"] == 2
    assert list(answer["errors"]) == ["ETH-USD"]
    assert desk().market.candles("ETH-USD", "1h") == []


def test_an_unknown_venue_is_reported_by_symbol(venue: Venue) -> None:
    register("BTC-USD", "atlantis")
    assert "must be one of" in fetch()["errors"]["BTC-USD"]


def test_instruments_without_a_venue_and_unknown_ones_are_skipped(venue: Venue) -> None:
    register("BTC-USD", None)
    answer = fetch({"symbols": ["BTC-USD", "NONE"], "timeframe": "1h"})
    assert (answer["skipped"], answer["errors"]) == (2, {})


@pytest.mark.parametrize(
    "broken", [{"close": "many"}, {"close": "NaN"}, {"high": "98"}, {"open": "-1"}]
)
def test_nonsense_of_a_venue_is_reported_and_not_stored(
    venue: Venue, broken: dict[str, str]
) -> None:
    register("BTC-USD")
    venue.trade("btcusd", range(2, 0, -1))
    venue.candles["btcusd"][1] |= broken
    assert list(fetch()["errors"]) == ["BTC-USD"]
    assert desk().market.candles("BTC-USD", "1h") == []


def test_a_venue_that_does_not_answer_is_unavailable() -> None:
    class Silent:
        def fetch_ohlcv(self, *args: object) -> list[object]:
            raise ccxt.RequestTimeout("no answer")

    with pytest.raises(Unavailable, match="RequestTimeout"):
        CcxtCandles("silent", Silent()).candles(instrument("BTC-USD"), "1h", NOW)


def test_an_exchange_that_ccxt_does_not_know_is_refused() -> None:
    with pytest.raises(InvalidInput, match="kraken"):
        CcxtCandles("atlantis")
