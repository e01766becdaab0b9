"""Many candles at once, and numbers as JSON has them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from market.handler import CANDLES_BODY_LIMIT, api
from tests.support.http import Answer, invoke
from trading.schemas.market import MAX_CANDLES

START = datetime(2024, 1, 1, tzinfo=UTC)
INSTRUMENT = {
    "base_currency": "BTC", "quote_currency": "USD", "tick_size": "0.01", "lot_size": "1",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _instrument(account: None) -> None:
    """An empty market with one instrument."""
    assert invoke(api, "PUT", "/market/instruments/BTC-USD", INSTRUMENT).status == 201


def post(candles: str) -> Answer:
    body = f'{{"symbol": "BTC-USD", "timeframe": "1m", "candles": [{candles}]}}'
    return invoke(api, "POST", "/market/candles", body)


def bar(minute: int, amount: str) -> str:
    time = (START + timedelta(minutes=minute)).isoformat()
    prices = ", ".join(f'"{name}": {amount}' for name in ("open", "high", "low", "close"))
    return f'{{"time": "{time}", {prices}, "volume": 0}}'


def test_as_many_candles_as_are_allowed_are_all_stored_and_known_again() -> None:
    candles = ", ".join(bar(i, str(100 + i % 7)) for i in range(MAX_CANDLES))
    assert post(candles).json == {"created": MAX_CANDLES, "unchanged": 0, "replaced": 0}
    assert post(candles).json == {"created": 0, "unchanged": MAX_CANDLES, "replaced": 0}


@pytest.mark.parametrize("amount", ["0.1", "123456789.12345678", "999999999999.99999999", "1e-8"])
def test_a_json_number_is_stored_to_its_last_digit(amount: str) -> None:
    assert post(bar(0, amount)).json["created"] == 1
    listed = invoke(api, "GET", "/market/candles?symbol=BTC-USD&timeframe=1m").json["items"]
    assert [Decimal(candle["close"]) for candle in listed] == [Decimal(amount)]
    (price,) = invoke(api, "GET", "/market/prices").json["items"]
    assert Decimal(price["price"]) == Decimal(amount)


def test_a_body_over_five_mebibytes_is_too_large_and_leaves_no_trace() -> None:
    answer = post(bar(0, "1") + " " * CANDLES_BODY_LIMIT)
    assert answer.status == 413
    assert answer.json["type"] == "urn:trading:problem:payload-too-large"
    assert invoke(api, "GET", "/market/prices").json["items"] == []
