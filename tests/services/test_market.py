"""Instruments, candles and prices over HTTPS."""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from market.handler import api
from tests.support import candles as some
from tests.support.http import Answer, invoke
from trading import bootstrap
from trading.desk import desk
from trading.domain.money import plain
from trading.schemas.base import encode_cursor

AAPL = {"base_currency": "AAPL", "quote_currency": "USD", "tick_size": "0.01", "lot_size": "1"}
NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
OPEN = "2024-01-02T00:00:00Z"
BAR = {"time": OPEN, "open": "10", "high": "12", "low": "9", "close": "11", "volume": "5"}


@pytest.fixture(autouse=True)
def _account(account: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test has its own empty tables, and the same present moment."""
    monkeypatch.setattr(bootstrap, "wall_clock", lambda: NOW)


@pytest.fixture
def aapl() -> None:
    assert put("AAPL").status == 201


def put(symbol: str, **changes: Any) -> Answer:
    return invoke(api, "PUT", f"/market/instruments/{symbol}", {**AAPL, **changes})


def post_candles(*bars: Any, symbol: str = "AAPL", timeframe: str = "1d") -> Answer:
    body = {"symbol": symbol, "timeframe": timeframe, "candles": list(bars)}
    return invoke(api, "POST", "/market/candles", body)


def post_prices(*prices: Any) -> Answer:
    return invoke(api, "POST", "/market/prices", {"prices": list(prices)})


def get(path: str) -> Any:
    answer = invoke(api, "GET", path)
    assert answer.status == 200, answer.text
    return answer.json


def price_of(symbol: str) -> Any:
    return next(p for p in get("/market/prices")["items"] if p["symbol"] == symbol)


def stored() -> int:
    return int(boto3.client("dynamodb").scan(TableName="MarketTable")["Count"])


def refused(answer: Answer, field: str, saying: str) -> bool:
    """Whether a request was refused for one field, leaving nothing but the instrument."""
    assert answer.status == 422, answer.text
    assert stored() == 1
    return any(e["field"] == field and saying in e["message"] for e in answer.json["errors"])


def test_an_instrument_is_created_once_and_replaced_after() -> None:
    assert put("AAPL").status == 201
    again = put("AAPL", lot_size="0.1")
    assert (again.status, again.json["lot_size"]) == (200, "0.1")
    assert [i["lot_size"] for i in get("/market/instruments")["items"]] == ["0.1"]


def test_an_instrument_has_stated_defaults(aapl: None) -> None:
    (item,) = get("/market/instruments")["items"]
    assert (item["min_notional"], item["max_price_age_seconds"]) == ("0", 86400)


def test_a_venue_without_its_symbol_is_refused() -> None:
    assert put("AAPL", venue="kraken").status == 422
    assert stored() == 0


def test_pages_of_instruments_follow_each_other_without_gaps() -> None:
    for symbol in ("A", "B", "C"):
        put(symbol)
    first = get("/market/instruments?limit=2")
    rest = get(f"/market/instruments?limit=2&cursor={first['cursor']}")
    assert [i["symbol"] for i in first["items"] + rest["items"]] == ["C", "B", "A"]
    assert rest["cursor"] is None


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/market/instruments"), ("GET", "/market/prices")]
)
def test_reading_needs_the_read_scope(method: str, path: str) -> None:
    assert invoke(api, method, path, scopes=["market:write"]).status == 403


def test_writing_needs_the_write_scope(aapl: None) -> None:
    body = {"symbol": "AAPL", "timeframe": "1d", "candles": [BAR]}
    answer = invoke(api, "POST", "/market/candles", body, scopes=["market:read"])
    assert answer.status == 403
    assert stored() == 1


def test_posting_the_same_candles_again_changes_nothing(aapl: None) -> None:
    bars = some.body(some.real("AAPL")[:100])["candles"]
    assert post_candles(*bars).json == {"created": 100, "unchanged": 0, "replaced": 0}
    assert post_candles(*bars).json == {"created": 0, "unchanged": 100, "replaced": 0}


def test_a_corrected_candle_replaces_what_was_stored(aapl: None) -> None:
    post_candles(BAR)
    answer = post_candles({**BAR, "close": "10.5"})
    assert answer.json == {"created": 0, "unchanged": 0, "replaced": 1}
    (bar,) = get("/market/candles?symbol=AAPL&timeframe=1d")["items"]
    assert bar["close"] == "10.5"


@pytest.mark.parametrize("order", ["desc", "asc"])
def test_candles_come_back_exactly_in_order_page_by_page(aapl: None, order: str) -> None:
    real = some.real("AAPL")[:7]
    post_candles(*some.body(real)["candles"])
    seen, cursor = [], ""
    while True:
        page = get(f"/market/candles?symbol=AAPL&timeframe=1d&limit=3&order={order}{cursor}")
        seen += page["items"]
        if page["cursor"] is None:
            break
        cursor = f"&cursor={page['cursor']}"
    wanted = real if order == "asc" else reversed(real)
    assert [bar["close"] for bar in seen] == [plain(c.close) for c in wanted]


def test_candles_are_listed_newest_first_unless_asked_otherwise(aapl: None) -> None:
    post_candles(*some.body(some.course([10, 11]))["candles"])
    items = get("/market/candles?symbol=AAPL&timeframe=1d")["items"]
    assert [bar["close"] for bar in items] == ["11", "10"]


@pytest.mark.parametrize("order", ["desc", "asc"])
def test_bounds_hold_on_every_page(aapl: None, order: str) -> None:
    post_candles(*some.body(some.course(range(10, 20)))["candles"])
    path = f"/market/candles?symbol=AAPL&timeframe=1d&order={order}&limit=2"
    path += "&start=2024-01-03T00:00:00Z&end=2024-01-06T00:00:00Z"
    first = get(path)
    second = get(f"{path}&cursor={first['cursor']}")
    days = [int(bar["time"][8:10]) for bar in first["items"] + second["items"]]
    assert sorted(days, reverse=order == "desc") == days
    assert set(days) == {3, 4, 5, 6}
    assert second["cursor"] is None


def test_a_cursor_that_holds_no_time_is_refused(aapl: None) -> None:
    path = f"/market/candles?symbol=AAPL&timeframe=1d&order=asc&cursor={encode_cursor('nonsense')}"
    answer = invoke(api, "GET", path)
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "cursor")


def test_bounds_of_a_candle_list_are_inclusive(aapl: None) -> None:
    post_candles(*some.body(some.course(range(10, 16)))["candles"])
    span = "start=2024-01-02T00:00:00Z&end=2024-01-04T00:00:00Z"
    items = get(f"/market/candles?symbol=AAPL&timeframe=1d&{span}")["items"]
    assert [bar["time"][:10] for bar in items] == ["2024-01-04", "2024-01-03", "2024-01-02"]


def test_candles_of_an_unknown_symbol_are_not_found() -> None:
    assert invoke(api, "GET", "/market/candles?symbol=NONE&timeframe=1d").status == 404


@pytest.mark.parametrize(
    ("changes", "saying"),
    [
        ({"high": "8"}, "high"),
        ({"high": "10.5"}, "high must not be below open or close"),
        ({"low": "10.5"}, "low must not be above open or close"),
    ],
)
def test_a_candle_whose_bounds_do_not_hold_is_refused(
    aapl: None, changes: Any, saying: str
) -> None:
    assert refused(post_candles({**BAR, **changes}), "candles.0", saying)


@pytest.mark.parametrize("field", ["open", "high", "low", "close"])
def test_a_price_of_zero_in_a_candle_is_refused(aapl: None, field: str) -> None:
    assert refused(post_candles({**BAR, field: "0"}), f"candles.0.{field}", "greater than 0")


def test_a_negative_volume_is_refused(aapl: None) -> None:
    assert refused(post_candles({**BAR, "volume": "-1"}), "candles.0.volume", "equal to 0")


@pytest.mark.parametrize("second", [OPEN, "2024-01-01T00:00:00Z"])
def test_candles_that_are_not_in_rising_order_are_refused(aapl: None, second: str) -> None:
    answer = post_candles(BAR, {**BAR, "time": second})
    assert answer.status == 422
    assert "candles[1].time" in answer.text
    assert stored() == 1


def test_a_candle_that_opens_in_the_future_is_refused(aapl: None) -> None:
    late = (NOW + timedelta(seconds=6)).isoformat()
    answer = post_candles(BAR, {**BAR, "time": late})
    assert refused(answer, "candles.1.time", "future")


def test_a_sender_whose_clock_is_a_little_ahead_is_heard(aapl: None) -> None:
    assert post_candles({**BAR, "time": (NOW + timedelta(seconds=5)).isoformat()}).status == 200


def test_candles_of_an_unknown_symbol_are_refused_by_name(aapl: None) -> None:
    assert refused(post_candles(BAR, symbol="MSFT"), "symbol", "MSFT")


def test_more_candles_than_allowed_at_once_are_refused(aapl: None) -> None:
    start = datetime(2020, 1, 1, tzinfo=UTC)
    bars = [{**BAR, "time": (start + timedelta(minutes=i)).isoformat()} for i in range(5001)]
    answer = post_candles(*bars, timeframe="1m")
    assert answer.status == 422
    assert stored() == 1


def test_the_newest_closed_candle_gives_the_price_at_its_close(aapl: None) -> None:
    post_candles(*some.body(some.course([10, 11]))["candles"])
    price = price_of("AAPL")
    assert (price["price"], price["time"]) == ("11", "2024-01-03T00:00:00Z")


def test_a_bar_that_is_still_forming_gives_the_price_as_of_now(aapl: None) -> None:
    post_candles({**BAR, "time": "2024-03-01T00:00:00Z"})
    assert price_of("AAPL")["time"] == "2024-03-01T12:00:00Z"


def test_older_candles_move_neither_the_price_nor_the_clock_back(aapl: None) -> None:
    post_candles({**BAR, "time": "2024-02-01T00:00:00Z", "close": "12"})
    before, clock = price_of("AAPL"), desk().market.clock()
    post_candles(BAR)
    assert price_of("AAPL") == before
    assert desk().market.clock() == clock == datetime(2024, 2, 2, tzinfo=UTC)


def test_the_market_clock_is_the_newest_of_all_symbols(aapl: None) -> None:
    put("IBM")
    post_prices(
        {"symbol": "AAPL", "price": "1", "time": "2024-02-02T00:00:00Z"},
        {"symbol": "IBM", "price": "1", "time": "2024-02-01T00:00:00Z"},
    )
    assert desk().market.clock() == datetime(2024, 2, 2, tzinfo=UTC)


def test_a_price_that_is_not_newer_is_counted_as_stale(aapl: None) -> None:
    price = {"symbol": "AAPL", "price": "10", "time": "2024-02-01T00:00:00Z"}
    assert post_prices(price).json == {"accepted": 1, "stale": 0}
    assert post_prices({**price, "price": "9"}).json == {"accepted": 0, "stale": 1}
    older = {**price, "price": "8", "time": "2024-01-31T00:00:00Z"}
    assert post_prices(older).json == {"accepted": 0, "stale": 1}
    assert price_of("AAPL")["price"] == "10"


def test_a_price_without_a_time_is_of_now(aapl: None) -> None:
    post_prices({"symbol": "AAPL", "price": "10"})
    assert price_of("AAPL")["time"] == "2024-03-01T12:00:00Z"


@pytest.mark.parametrize(
    ("changes", "field", "saying"),
    [
        ({"price": "10.005"}, "prices.1.price", "tick size 0.01"),
        ({"time": "2024-03-01T12:00:06Z"}, "prices.1.time", "future"),
        ({"symbol": "MSFT"}, "prices.1.symbol", "MSFT"),
        ({"price": "0"}, "prices.1.price", "greater than 0"),
        ({"price": "NaN"}, "prices.1.price", "decimal"),
        ({"price": "1" * 40}, "prices.1.price", ""),
    ],
)
def test_one_wrong_price_refuses_them_all(
    aapl: None, changes: Any, field: str, saying: str
) -> None:
    good = {"symbol": "AAPL", "price": "10", "time": "2024-02-01T00:00:00Z"}
    assert refused(post_prices(good, {**good, **changes}), field, saying)


def test_prices_can_be_asked_for_by_symbol(aapl: None) -> None:
    put("IBM")
    post_prices({"symbol": "AAPL", "price": "1"}, {"symbol": "IBM", "price": "2"})
    found = get("/market/prices?symbols=IBM,NONE")["items"]
    assert [p["symbol"] for p in found] == ["IBM"]


def test_metrics_tell_the_age_of_every_price(aapl: None) -> None:
    post_prices({"symbol": "AAPL", "price": "1", "time": "2024-03-01T11:59:00Z"})
    text = invoke(api, "GET", "/market/metrics").text
    assert 'trading_price_age_seconds{symbol="AAPL"} 60' in text
    assert "trading_instruments 1" in text


def test_health_names_the_table_and_the_newest_price(aapl: None) -> None:
    post_prices({"symbol": "AAPL", "price": "1", "time": "2024-03-01T11:59:00Z"})
    answer = invoke(api, "GET", "/market/health", scopes=None)
    assert answer.status == 200
    assert "60 s old" in answer.text
    assert "market_table" in answer.text


def test_an_instruments_currencies_are_facts(aapl: None) -> None:
    assert put("AAPL", tick_size="0.02").status == 200
    refused = put("AAPL", quote_currency="EUR")
    assert refused.status == 409
    assert "quote_currency of 'AAPL' is USD" in refused.json["detail"]


@pytest.mark.parametrize("symbols", ["0" * 100, "a", "AAPL,,IBM", "AAPL,", "../X", "A%2FB"])
def test_prices_of_what_cannot_be_a_symbol_are_refused(account: None, symbols: str) -> None:
    answer = invoke(api, "GET", f"/market/prices?symbols={symbols}")
    assert answer.status == 422
    assert set(answer.errors) == {"symbols"}
