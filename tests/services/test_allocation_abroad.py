"""Allocation across currencies and on margin."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.support.floor import INSTRUMENT, books, call, drain, good, open_floor

PATH = "/portfolio/main/allocation"


def prices(**found: str) -> None:
    listed = [{"symbol": s.replace("_", "-"), "price": p} for s, p in found.items()]
    good("POST", "/market/prices", {"prices": listed})


def trade(weights: dict[str, str], key: str, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = good(
        "POST", PATH, {"weights": weights, "dry_run": False, **more}, key=key
    )
    drain()
    return made


def held() -> dict[str, Decimal]:
    return {s: p.quantity for s, p in books()["positions"].items() if p.quantity}


@pytest.fixture
def abroad(account: None) -> None:
    """1,000 USD and 500 EUR at 2 USD each; SAP is quoted in EUR."""
    open_floor(cash="1000", commission_rate="0")
    euros = INSTRUMENT | {"base_currency": "SAP", "quote_currency": "EUR"}
    good("PUT", "/market/instruments/SAP", euros)
    for pair in ("EUR-USD", "USD-GBP"):
        base, _, quote = pair.partition("-")
        listed = INSTRUMENT | {"base_currency": base, "quote_currency": quote}
        good("PUT", f"/market/instruments/{pair}", listed)
    prices(EUR_USD="2", SAP="50")
    body = {"type": "deposit", "currency": "EUR", "amount": "500"}
    good("POST", "/portfolio/main/holdings/update", body, key="eur")


def test_weights_count_in_the_base_currency_whatever_a_symbol_is_quoted_in(abroad: None) -> None:
    made = trade({"ACME": "0.4", "SAP": "0.4"}, "k")
    # Equity is 2,000 USD: 800 are 8 ACME of 100 USD, and 8 SAP of 50 EUR.
    assert held() == {"ACME": 8, "SAP": 8}
    assert [Decimal(o["notional"]) for o in made["orders"]] == [800, 800]


def test_the_rate_of_a_currency_that_is_not_held_yet_is_looked_up_or_asked_for(
    abroad: None,
) -> None:
    pounds = INSTRUMENT | {"base_currency": "BP", "quote_currency": "GBP"}
    good("PUT", "/market/instruments/BP", pounds)
    prices(BP="5")
    wanted = {"weights": {"BP": "0.1"}}
    answer = call("POST", PATH, wanted, key="k")
    assert answer.status == 409
    assert "GBP-USD" in answer.text
    prices(USD_GBP="0.5")
    made = good("POST", PATH, wanted, key="known")
    assert made["orders"] == []
    assert made["left"] == {"BP": "no cash is left for it"}


@pytest.fixture
def margin(account: None) -> None:
    """10,000 USD on margin, with a limit on leverage."""
    open_floor(cash="10000", commission_rate="0", margin=True, limits={"max_gross_leverage": "2"})
    good("PUT", "/market/instruments/OTHER", INSTRUMENT | {"base_currency": "OTHER"})
    prices(OTHER="50")


def test_with_margin_weights_may_be_short_and_borrow(margin: None) -> None:
    made = trade({"ACME": "1.2", "OTHER": "-0.5"}, "k")
    assert [o["passed"] for o in made["orders"]] == [True, True]
    assert held() == {"ACME": 120, "OTHER": -100}
    trade({"ACME": "0.5", "OTHER": "0"}, "back")
    assert held() == {"ACME": 50}
    assert books()["account"].cash_in("USD") == 5000


@pytest.mark.parametrize(
    "body",
    [
        {"weights": {"ACME": "1.5", "OTHER": "-0.6"}},
        {"weights": {"ACME": "1.1"}, "cash_buffer_amount": "1"},
    ],
)
def test_more_leverage_than_the_limit_or_a_borrowed_buffer_is_refused(
    margin: None, body: dict[str, Any]
) -> None:
    answer = call("POST", PATH, body, key="k")
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "weights")
