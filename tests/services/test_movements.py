"""Every kind of movement over HTTPS: dividends, splits, funding, borrowing, several currencies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from portfolio.handler import on_schedule as snapshot_schedule
from tests.support.floor import INSTRUMENT, books, call, good, open_floor, place, set_price
from tests.support.http import Context
from trading import bootstrap

EUROPEAN = INSTRUMENT | {"base_currency": "SAP", "quote_currency": "EUR"}
PAIR = INSTRUMENT | {"base_currency": "EUR", "tick_size": "0.0001"}
TERMS = {"base_currency": "USD", "cash": "10000", "commission_rate": "0.001"}


@pytest.fixture(autouse=True)
def floor(account: None) -> None:
    open_floor()


def move(key: str, **body: Any) -> Any:
    return call("POST", "/portfolio/main/holdings/update", {"currency": "USD", **body}, key=key)


def held(symbol: str = "ACME") -> dict[str, Any]:
    items = good("GET", "/portfolio/main/positions")["items"]
    return next(item for item in items if item["symbol"] == symbol)


def quote_euro(rate: str, symbol: str = "EUR-USD") -> None:
    good("PUT", f"/market/instruments/{symbol}", PAIR)
    good("POST", "/market/prices", {"prices": [{"symbol": symbol, "price": rate}]})


def all_is_well() -> None:
    assert good("POST", "/orders/reconcile", {"portfolio_id": "main"})["differences"] == []


def test_a_dividend_is_income_of_its_holding_and_of_the_portfolio() -> None:
    place("10")
    assert move("a", type="dividend", symbol="ACME", amount="12.5").status == 200
    view = move("b", type="dividend", symbol="ACME", per_unit="0.25").json
    assert (view["income"], held()["income"]) == ("15", "15")
    assert view["cash"] == {"USD": "9014"}
    gains = (Decimal(view[n]) for n in ("realized_pnl", "unrealized_pnl", "income"))
    assert sum(gains) - Decimal(view["fees"]) == Decimal(view["total_pnl"])
    all_is_well()


def test_a_short_pays_the_dividend() -> None:
    good("PUT", "/portfolio/main", TERMS | {"margin": True})
    place("10", "sell")
    assert move("a", type="dividend", symbol="ACME", per_unit="0.25").json["income"] == "-2.5"
    all_is_well()


def test_funding_and_borrow_costs_are_booked_both_ways() -> None:
    place("10")
    assert move("a", type="funding", symbol="ACME", amount="-3").json["income"] == "-3"
    assert move("b", type="funding", symbol="ACME", amount="1").json["income"] == "-2"
    assert move("c", type="borrow_cost", amount="0.5").json["income"] == "-2.5"
    assert held()["income"] == "-2"
    all_is_well()


@pytest.mark.parametrize("method", ["average", "fifo"])
def test_a_split_changes_units_and_leaves_cost_and_gains(method: str) -> None:
    good("PUT", "/portfolio/split", TERMS | {"cost_method": method})
    good("PUT", "/risk/split/limits", {})
    for price in ("100", "130"):
        set_price(price)
        order = {"portfolio_id": "split", "symbol": "ACME", "side": "buy", "quantity": "6"}
        good("POST", "/orders", order, key=price)
    path = "/portfolio/split/holdings/update"
    body = {"currency": "USD", "type": "split", "symbol": "ACME", "split_from": 2, "split_to": 3}
    good("POST", path, body, key="a")
    (after,) = good("GET", "/portfolio/split/positions")["items"]
    assert (after["quantity"], after["cost_basis"], after["realized_pnl"]) == ("18", "1380", "0")
    set_price("80")
    order = {"portfolio_id": "split", "symbol": "ACME", "side": "sell", "quantity": "9"}
    good("POST", "/orders", order, key="c")
    (after,) = good("GET", "/portfolio/split/positions")["items"]
    assert after["realized_pnl"] == ("120" if method == "fifo" else "30")
    assert good("POST", "/orders/reconcile", {"portfolio_id": "split"})["differences"] == []


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("symbol", {"type": "dividend", "symbol": "ACME", "amount": "1"}),
        ("symbol", {"type": "dividend", "amount": "1"}),
        ("amount", {"type": "dividend", "symbol": "ACME"}),
        ("amount", {"type": "dividend", "symbol": "ACME", "amount": "1", "per_unit": "1"}),
        ("symbol", {"type": "funding", "symbol": "ACME", "amount": "1"}),
        ("amount", {"type": "funding", "symbol": "ACME", "amount": "0"}),
        ("symbol", {"type": "split", "symbol": "ACME", "split_from": 1, "split_to": 2}),
        ("split_to", {"type": "split", "symbol": "ACME", "split_from": 1}),
        ("split_from", {"type": "split", "symbol": "ACME", "split_to": 1, "split_from": 0}),
        ("split_to", {"type": "split", "symbol": "ACME", "split_to": 1.5, "split_from": 1}),
        ("amount", {"type": "split", "symbol": "ACME", "amount": "3"}),
        ("amount", {"type": "borrow_cost", "amount": "-1"}),
        ("amount", {"type": "borrow_cost", "amount": "10000.01"}),
        ("to_currency", {"type": "conversion", "amount": "1"}),
        ("to_currency", {"type": "conversion", "amount": "1", "to_currency": "EUR"}),
        ("to_currency", {"type": "conversion", "amount": "1", "to_currency": "USD", "rate": "1"}),
        ("rate", {"type": "conversion", "amount": "1", "to_currency": "EUR", "rate": "0"}),
        ("amount", {"type": "conversion", "amount": "-1", "to_currency": "EUR"}),
        ("rate", {"type": "deposit", "amount": "1", "rate": "2"}),
        ("quantity", {"type": "deposit", "amount": "1", "quantity": "2"}),
        ("currency", {"type": "deposit", "amount": "1", "currency": "EUR"}),
        ("type", {"type": "fill", "amount": "1"}),
    ],
)
def test_a_movement_that_cannot_be_names_its_field_and_leaves_no_trace(
    field: str, body: dict[str, Any]
) -> None:
    before = books()
    refused = move("bad", **body)
    assert refused.status == 422
    assert any(e["field"].split(".")[-1] == field for e in refused.json["errors"]), refused.text
    assert books() == before


def test_a_deposit_in_another_currency_counts_at_the_rate_of_its_day() -> None:
    quote_euro("1.1")
    assert move("a", type="deposit", currency="EUR", amount="1000").status == 200
    quote_euro("1.2")
    view = good("GET", "/portfolio/main")
    assert view["cash"] == {"USD": "10000", "EUR": "1000"}
    assert view["rates"] == {"EUR": "1.2"}
    assert (view["equity"], view["capital"], view["total_pnl"]) == ("11200", "11100", "100")
    all_is_well()


@pytest.mark.parametrize(
    ("symbol", "quoted", "rate"),
    [("EUR-USD", "1.25", "1.25"), ("EURUSD", "1.25", "1.25"), ("USD-EUR", "0.8", "1.25")],
)
def test_a_rate_is_read_from_either_pair_and_turned_around_if_need_be(
    symbol: str, quoted: str, rate: str
) -> None:
    quote_euro(quoted, symbol)
    assert move("a", type="deposit", currency="EUR", amount="8").json["rates"] == {"EUR": rate}


def test_a_conversion_is_made_at_the_given_or_the_known_rate_and_rounds_down() -> None:
    quote_euro("1.25")
    convert = {"type": "conversion", "to_currency": "EUR"}
    assert move("a", amount="1000", **convert).json["cash"] == {"USD": "9000", "EUR": "800"}
    view = move("b", amount="1", rate="0.333333337", **convert)
    assert view.status == 422
    view = move("b", amount="0.1", rate="0.33333333", **convert)
    assert view.json["cash"]["EUR"] == "800.03333333"
    assert Decimal(view.json["total_pnl"]) < 0
    assert move("c", amount="9000", **convert).status == 422
    all_is_well()


def test_a_holding_in_another_currency_counts_in_the_base_one() -> None:
    good("PUT", "/market/instruments/SAP", EUROPEAN)
    good("POST", "/market/prices", {"prices": [{"symbol": "SAP", "price": "50"}]})
    before = books()
    refused = place("2", symbol="SAP", key="early")
    assert refused.status == 422
    assert "no rate from EUR to USD" in refused.text
    assert books() == before
    quote_euro("1.2")
    move("a", type="deposit", currency="EUR", amount="1000")
    assert place("10", symbol="SAP").status == 201
    good("POST", "/market/prices", {"prices": [{"symbol": "SAP", "price": "60"}]})
    view = good("GET", "/portfolio/main")
    assert view["cash"]["EUR"] == "499.5"
    assert (view["holdings_value"], view["exposure"]) == ("720", "720")
    assert view["unrealized_pnl"] == "120"
    assert view["fees"] == "0.6"
    assert view["total_pnl"] == "119.4"
    all_is_well()


def test_a_past_moment_without_its_rate_says_which_is_missing() -> None:
    quote_euro("1.1")
    moment = move("a", type="deposit", currency="EUR", amount="100").json["as_of"]
    assert good("GET", f"/portfolio/main?as_of={moment}")["rates"] == {"EUR": "1.1"}
    quote_euro("1.2")
    refused = call("GET", f"/portfolio/main?as_of={moment}")
    assert refused.status == 409
    assert "no rate from EUR to USD" in refused.json["detail"]


def test_a_past_moment_counts_at_the_rates_of_then(
    environment: pytest.MonkeyPatch,
) -> None:
    day = datetime(2026, 3, 2, tzinfo=UTC)
    good("PUT", "/market/instruments/EUR-USD", PAIR)
    for number, close in enumerate(("1.1", "1.3")):
        candle = {"open": close, "high": close, "low": close, "close": close, "volume": "1"}
        opened = (day + timedelta(days=number)).isoformat().replace("+00:00", "Z")
        body = {"symbol": "EUR-USD", "timeframe": "1d", "candles": [{"time": opened, **candle}]}
        good("POST", "/market/candles", body)
    terms = TERMS | {"clock": "market", "policy": {"symbols": ["EUR-USD"]}}
    good("PUT", "/portfolio/past", terms)
    path = "/portfolio/past/holdings/update"
    body = {"type": "deposit", "currency": "EUR", "amount": "100"}
    environment.setattr(bootstrap, "wall_clock", lambda: day + timedelta(days=2))
    assert call("POST", path, body, key="a").status == 200
    now = good("GET", "/portfolio/past?as_of=2026-03-04T00:00:00Z")
    assert (now["rates"], now["equity"]) == ({"EUR": "1.3"}, "10130")


def test_nothing_is_charged_where_nothing_is_owed_or_it_costs_nothing() -> None:
    place("10")
    snapshot_schedule({}, Context())
    good("PUT", "/portfolio/main", TERMS | {"borrow_rate": "0.1"})
    snapshot_schedule({}, Context())
    assert books()["account"].ledger_sequence == 2
