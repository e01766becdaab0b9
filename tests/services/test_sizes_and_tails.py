"""Sizes within the limits; what value at risk of an order is judged on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from risk.handler import on_measure
from tests.support.floor import call, good, open_floor, place, set_price
from tests.support.http import Context
from trading.desk import desk
from trading.domain.books import BookChange


@pytest.fixture(autouse=True)
def floor(account: None) -> None:
    open_floor(commission_rate="0")


def size(**body: Any) -> Any:
    return good("POST", "/risk/main/size", {"symbol": "ACME", **body})


def test_a_size_tells_how_much_of_it_the_limits_allow() -> None:
    assert size(method="fixed_quantity", quantity="20")["allowed_quantity"] == "20"
    good("PUT", "/risk/main/limits", {"max_order_notional": "1250"})
    assert size(method="fixed_quantity", quantity="20")["allowed_quantity"] == "12"
    good("PUT", "/risk/main/limits", {"max_order_notional": "50"})
    assert size(method="fixed_quantity", quantity="20")["allowed_quantity"] == "0"
    good("PUT", "/risk/main/limits", {})
    assert size(method="fixed_quantity", quantity="500")["allowed_quantity"] == "100"
    sale = size(method="fixed_quantity", quantity="5", side="sell")
    assert (sale["quantity"], sale["allowed_quantity"]) == ("5", "0")


def candles(symbol: str, closes: list[int]) -> None:
    first = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    bars = [
        {
            "time": (first - timedelta(days=len(closes) - i)).isoformat(),
            **dict.fromkeys(("open", "high", "low", "close"), str(close)),
            "volume": "1",
        }
        for i, close in enumerate(closes)
    ]
    good("POST", "/market/candles", {"symbol": symbol, "timeframe": "1d", "candles": bars})


def test_the_tail_state_is_one_profit_of_the_holdings_per_bar() -> None:
    candles("ACME", [100, 110, 99] * 15)
    set_price("100")
    place("10")
    found = good("POST", "/risk/main/var/refresh")
    assert (found["observations"], found["symbols"]) == (44, ["ACME"])
    tail = desk().risk.tail("main")
    assert tail is not None
    assert tail.pnl[:2] == (Decimal(100), Decimal(-100))
    assert len(tail.times) == len(tail.pnl) == 44
    (series,) = desk().risk.returns(["ACME"])
    assert series.volatility is not None
    assert series.returns[0] == Decimal("0.1")


def test_the_schedule_measures_only_those_whose_limits_need_it() -> None:
    candles("ACME", [100, 110, 99] * 15)
    assert on_measure({}, Context())["tails"] == 0
    good("PUT", "/risk/main/limits", {"max_var_percent": "50"})
    assert call("POST", "/risk/nobody/var/refresh").status == 404
    counts = on_measure({}, Context())
    assert (counts["tails"], counts["symbols"], counts["recorded"]) == (1, 1, 1)
    assert place("10").status == 201
    good("PUT", "/risk/main/limits", {"max_var_percent": "0.5"})
    assert place("10").json["order"]["reason"] == "var"


def test_a_portfolio_that_holds_nothing_has_an_empty_tail() -> None:
    found = good("POST", "/risk/main/var/refresh")
    assert (found["observations"], found["symbols"]) == (0, [])


def test_a_short_gains_where_a_long_loses() -> None:
    good("PUT", "/portfolio/short", {"base_currency": "USD", "cash": "10000"})
    good("PUT", "/risk/short/limits", {})
    before = desk().books.account("short")
    on_margin = before.model_copy(update={"margin": True})
    desk().books.commit(BookChange(before=before, account=on_margin))
    closes = [100 + i % 5 + i for i in range(60)]
    candles("ACME", closes)
    set_price("100")
    assert place("10", "sell", portfolio_id="short").status == 201
    short = good("GET", "/risk/short/var")
    place("10")
    long = good("GET", "/risk/main/var")
    assert Decimal(short["value_at_risk"]) > 0
    assert short["value_at_risk"] != long["value_at_risk"]
    exposed = good("GET", "/risk/short/exposure")
    assert (exposed["long"], exposed["short"], exposed["net"]) == ("0", "1000", "-1000")
