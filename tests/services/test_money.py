"""Money over HTTPS: shorts, currencies, dividends, splits, interest, and repeats long after."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import boto3
import pytest

from portfolio.handler import on_schedule as snapshot_schedule
from tests.support.floor import INSTRUMENT, books, call, good, open_floor, place, set_price
from tests.support.http import Context
from trading import bootstrap

EUR = INSTRUMENT | {"base_currency": "EUR", "tick_size": "0.0001"}
TERMS = {"base_currency": "USD", "cash": "10000", "commission_rate": "0.001"}


@pytest.fixture(autouse=True)
def floor(account: None) -> None:
    open_floor()


def move(key: str, **body: Any) -> Any:
    return call("POST", "/portfolio/main/holdings/update", {"currency": "USD", **body}, key=key)


def moved(**body: Any) -> Any:
    answer = move(f"{body}".replace(" ", "")[:128], **body)
    assert answer.status == 200, answer.text
    return answer.json


def rate(value: str, symbol: str = "EUR-USD", **more: str) -> None:
    good("PUT", f"/market/instruments/{symbol}", EUR)
    prices = [{"symbol": symbol, "price": value, **more}]
    good("POST", "/market/prices", {"prices": prices})


def reconciled() -> bool:
    return bool(good("POST", "/orders/reconcile", {})["differences"] == [])


def at(patch: pytest.MonkeyPatch, moment: datetime) -> None:
    patch.setattr(bootstrap, "wall_clock", lambda: moment)


def text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def test_cash_of_two_currencies_counts_in_the_base_one() -> None:
    rate("1.25")
    view = moved(type="deposit", currency="EUR", amount="100")
    assert view["cash"] == {"USD": "10000", "EUR": "100"}
    assert (view["equity"], view["capital"]) == ("10125", "10125")
    assert view["rates"] == {"EUR": "1.25"}
    rate("1.5")
    view = good("GET", "/portfolio/main")
    assert (view["equity"], view["total_pnl"], view["other_pnl"]) == ("10150", "25", "25")
    view = moved(type="conversion", currency="EUR", amount="40", to_currency="USD")
    assert (view["cash"], view["equity"]) == ({"USD": "10060", "EUR": "60"}, "10150")
    assert reconciled()


def test_a_currency_without_a_rate_is_refused_and_leaves_nothing() -> None:
    before = books()
    for body, field in (
        ({"type": "deposit", "currency": "EUR", "amount": "1"}, "currency"),
        ({"type": "correction", "currency": "EUR", "amount": "1"}, "currency"),
        ({"type": "conversion", "amount": "1", "to_currency": "EUR"}, "to_currency"),
        ({"type": "conversion", "amount": "1", "to_currency": "EUR", "rate": "1"}, "to_currency"),
    ):
        refused = move("r", **body)
        assert (refused.status, refused.json["errors"][0]["field"]) == (422, field), refused.text
        assert "EUR-USD" in refused.json["detail"]
    assert books() == before


def test_a_conversion_at_an_old_rate_asks_for_a_rate() -> None:
    rate("1.25", time=text(datetime.now(UTC) - timedelta(hours=2)))
    body = {"type": "conversion", "amount": "10", "to_currency": "EUR"}
    refused = move("a", **body)
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "rate")
    assert move("b", **body, rate="0.8").json["cash"] == {"USD": "9990", "EUR": "8"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": "fill", "amount": "1"}, "type"),
        ({"type": "deposit"}, "amount"),
        ({"type": "deposit", "amount": "0"}, "amount"),
        ({"type": "deposit", "amount": "-1"}, "amount"),
        ({"type": "deposit", "amount": "1", "symbol": "ACME"}, "symbol"),
        ({"type": "withdrawal", "amount": "10001"}, "amount"),
        ({"type": "dividend", "amount": "1"}, "symbol"),
        ({"type": "dividend", "symbol": "ACME", "amount": "1"}, "symbol"),
        ({"type": "dividend", "symbol": "ACME"}, "amount"),
        ({"type": "dividend", "symbol": "ACME", "amount": "1", "per_unit": "1"}, "amount"),
        ({"type": "dividend", "symbol": "NOPE", "amount": "1"}, "symbol"),
        ({"type": "funding", "symbol": "ACME", "amount": "0"}, "amount"),
        ({"type": "funding", "amount": "1"}, "symbol"),
        ({"type": "borrow_cost", "amount": "-1"}, "amount"),
        ({"type": "split", "symbol": "ACME", "split_to": 2}, "split_from"),
        ({"type": "split", "symbol": "ACME", "split_to": 2, "split_from": 2}, "split_to"),
        ({"type": "split", "symbol": "ACME", "split_to": 2, "split_from": 1}, "symbol"),
        ({"type": "split", "symbol": "ACME", "split_to": 0, "split_from": 1}, "split_to"),
        ({"type": "conversion", "amount": "1"}, "to_currency"),
        ({"type": "conversion", "amount": "1", "to_currency": "USD"}, "to_currency"),
        ({"type": "conversion", "amount": "1", "to_currency": "EUR", "rate": "0"}, "rate"),
        ({"type": "correction"}, "amount"),
        ({"type": "correction", "quantity": "1"}, "amount"),
        ({"type": "correction", "amount": "1", "quantity": "1"}, "symbol"),
    ],
    ids=str,
)
def test_a_movement_that_does_not_fit_is_refused_by_field(body: dict[str, Any], field: str) -> None:
    before = books()
    refused = move("bad", **body)
    assert refused.status == 422, refused.text
    assert [error["field"] for error in refused.json["errors"]] == [field], refused.text
    assert books() == before


def test_a_dividend_is_income_and_no_deposit() -> None:
    place("10")
    view = moved(type="dividend", symbol="ACME", per_unit="0.5")
    assert (view["income"], view["cash"]["USD"], view["capital"]) == ("5", "9004", "10000")
    assert (view["total_pnl"], view["other_pnl"]) == ("4", "0")
    assert good("GET", "/portfolio/main/positions")["items"][0]["income"] == "5"
    assert reconciled()


def test_a_split_waits_for_resting_orders_and_stops() -> None:
    place("10")
    split = {"type": "split", "symbol": "ACME", "split_to": 2, "split_from": 1}
    resting = place("5", "sell", type="limit", limit_price="120").json
    assert move("a", **split).status == 409
    good("DELETE", f"/orders/{resting['id']}")
    stop = {"id": "s", "symbol": "ACME", "kind": "fixed", "price": "90"}
    good("PUT", "/risk/main/stops", {"stops": [stop]})
    refused = move("a", **split)
    assert (refused.status, "stop 's'" in refused.json["detail"]) == (409, True)
    good("PUT", "/risk/main/stops", {"stops": []})
    assert move("a", **split).status == 200
    set_price("50")
    held = good("GET", "/portfolio/main/positions")["items"][0]
    assert (held["quantity"], held["cost_basis"], held["unrealized_pnl"]) == ("20", "1000", "0")
    assert reconciled()


def test_a_short_is_kept_lot_by_lot_under_fifo() -> None:
    good("PUT", "/portfolio/main", TERMS | {"margin": True, "cost_method": "fifo"})
    place("10", "sell")
    set_price("90")
    place("10", "sell")
    place("15")
    held = good("GET", "/portfolio/main/positions")["items"][0]
    assert (held["quantity"], held["realized_pnl"]) == ("-5", "100")
    assert held["lots"] == [{"quantity": "-5", "cost": "-450"}]
    view = good("GET", "/portfolio/main")
    assert (view["exposure"], view["net_exposure"], view["holdings_value"]) == (
        "450",
        "-450",
        "-450",
    )
    assert reconciled()


def test_facts_of_a_portfolio_in_use_cannot_change() -> None:
    good("PUT", "/portfolio/main", TERMS | {"margin": True, "cost_method": "fifo"})
    place("10", "sell")
    before = books()
    for terms, said in (
        ({"margin": False, "cost_method": "fifo"}, "short"),
        ({"margin": True, "cost_method": "average"}, "cost"),
    ):
        refused = call("PUT", "/portfolio/main", TERMS | terms)
        assert (refused.status, said in refused.json["detail"]) == (409, True), refused.text
    assert books() == before
    place("10")
    ended = good("PUT", "/portfolio/main", TERMS | {"cost_method": "fifo"})
    assert (ended["margin"], ended["cost_method"]) == (False, "fifo")


def test_terms_are_checked_and_shown() -> None:
    model = {"maker_rate": "0.0002", "spread_bps": "4", "participation_rate": "0.1"}
    shown = good("PUT", "/portfolio/main", TERMS | {"fill_model": model, "borrow_rate": "0.05"})
    assert shown["borrow_rate"] == "0.05"
    unsaid = {"slippage": "none", "slippage_bps": "0", "timing": "immediate"}
    assert shown["fill_model"] == model | unsaid
    for bad in (
        {"borrow_rate": "-1"},
        {"cost_method": "lifo"},
        {"fill_model": {"spread_bps": "2001"}},
        {"fill_model": {"participation_rate": "0"}},
        {"fill_model": {"maker_rate": "0.123456789"}},
        {"margin": "maybe"},
    ):
        assert call("PUT", "/portfolio/main", TERMS | bad).status == 422, bad


def test_borrowing_is_charged_once_a_utc_day(environment: pytest.MonkeyPatch) -> None:
    good("PUT", "/portfolio/main", TERMS | {"margin": True, "borrow_rate": "0.365"})
    place("50", "sell")
    start = datetime.now(UTC).replace(hour=20, minute=0) + timedelta(days=1)
    before = Decimal(good("GET", "/portfolio/main")["cash"]["USD"])
    for hours in (0, 1, 3, 4):
        at(environment, start + timedelta(hours=hours))
        snapshot_schedule({}, Context())
    at(environment, start + timedelta(hours=5))
    assert snapshot_schedule({}, Context()) == {"recorded": 1, "unknown": 0}
    at(environment, start + timedelta(days=2))
    assert snapshot_schedule({}, Context())["charged"] == 1
    view = good("GET", "/portfolio/main")
    assert Decimal(view["cash"]["USD"]) == before - 3 * 5
    assert view["income"] == "-15"
    causes = [t["cause"] for t in good("GET", "/portfolio/main/ledger")["items"]]
    assert sum(cause.startswith("borrow:") for cause in causes) == 3
    assert reconciled()


def forget_answers() -> None:
    """What a day does to the records of requests."""
    table = boto3.resource("dynamodb").Table("IdempotencyTable")
    for item in table.scan()["Items"]:
        table.delete_item(Key={"id": item["id"]})


def test_a_key_used_long_ago_for_another_movement_is_refused() -> None:
    first = {"type": "deposit", "amount": "5"}
    assert move("k", **first).status == 200
    forget_answers()
    assert move("k", **first | {"amount": "5.0"}).json["cash"] == {"USD": "10005"}
    forget_answers()
    before = books()
    for other in ({"amount": "6"}, {"type": "withdrawal"}, {"note": "x"}):
        refused = move("k", **first | other)
        assert refused.status == 422, refused.text
        assert refused.json["type"].endswith("idempotency-conflict")
    assert books() == before


def test_a_deposit_between_two_snapshots_is_dated_and_is_no_profit(
    environment: pytest.MonkeyPatch,
) -> None:
    start = datetime.now(UTC) + timedelta(minutes=1)
    at(environment, start)
    place("90")
    snapshot_schedule({}, Context())
    at(environment, start + timedelta(days=1))
    set_price("110")
    moved(type="deposit", amount="10000")
    at(environment, start + timedelta(days=2))
    set_price("99")
    snapshot_schedule({}, Context())
    found = good("GET", "/portfolio/main/performance")
    # 9991 grew to 10891; with 10000 more it fell to 19901.
    expected = Decimal(10891) / 9991 * (Decimal(19901) / 20891) - 1
    assert Decimal(found["time_weighted_return"]) == pytest.approx(expected, abs=Decimal("1e-12"))
    assert [point["capital"] for point in found["equity"]] == ["10000", "20000", "20000"]
    half = (-10000 + (Decimal(10000) ** 2 + 4 * 9991 * 19901).sqrt()) / (2 * 9991)
    growth = Decimal(found["money_weighted_return"]) + 1
    assert growth == pytest.approx(half * half, abs=Decimal("1e-7"))
    assert Decimal(found["net_profit"]) == -90


def test_past_moments_are_true_across_shorts_splits_currencies_and_charges(
    environment: pytest.MonkeyPatch,
) -> None:
    good("PUT", "/portfolio/main", TERMS | {"margin": True, "cost_method": "fifo"})
    start = datetime.now(UTC) + timedelta(minutes=1)
    at(environment, start)
    rate("1.25")
    steps = [
        lambda: place("10"),
        lambda: place("30", "sell"),
        lambda: moved(type="deposit", currency="EUR", amount="100"),
        lambda: moved(type="split", symbol="ACME", split_to=2, split_from=1),
        lambda: moved(type="dividend", symbol="ACME", per_unit="0.25"),
        lambda: moved(type="conversion", amount="10", to_currency="EUR", rate="0.7"),
        lambda: moved(type="borrow_cost", amount="3"),
        lambda: place("50"),
    ]
    seen = []
    for minute, step in enumerate(steps):
        at(environment, start + timedelta(minutes=minute))
        step()
        then = good("GET", "/portfolio/main"), good("GET", "/portfolio/main/positions")
        seen.append((start + timedelta(minutes=minute, seconds=30), then[0]))
    at(environment, start + timedelta(hours=1))
    for moment, then in seen:
        past = good("GET", f"/portfolio/main?as_of={text(moment)}")
        for field in set(past) - {"as_of", "open_orders"}:
            assert past[field] == then[field], field
    assert reconciled()


def test_an_entry_that_is_recorded_late_shows_after_what_was_booked_before_it(
    environment: pytest.MonkeyPatch,
) -> None:
    start = datetime.now(UTC) + timedelta(minutes=1)
    at(environment, start)
    place("10", "buy", type="limit", limit_price="95")
    at(environment, start + timedelta(minutes=10))
    moved(type="deposit", amount="1")
    # A price of minute 5 arrives now, and the order trades at its moment.
    set_price("95", time=text(start + timedelta(minutes=5)))
    at(environment, start + timedelta(minutes=11))
    from execution.handler import on_schedule

    assert on_schedule({}, Context())["filled"] == 1
    ledger = good("GET", "/portfolio/main/ledger")
    assert ledger["verification"]["ok"]
    for minutes, length in ((4, 1), (6, 1), (10, 3)):
        moment = start + timedelta(minutes=minutes)
        past = good("GET", f"/portfolio/main?as_of={text(moment)}")
        assert past["ledger_sequence"] == length, minutes


def test_every_page_of_the_ledger_is_checked_with_its_links() -> None:
    for amount in range(1, 7):
        moved(type="deposit", amount=str(amount))
    cursor, checked = None, 0
    while True:
        page = good("GET", f"/portfolio/main/ledger?limit=3{f'&cursor={cursor}' if cursor else ''}")
        found = page["verification"]
        assert (found["ok"], found["complete"], found["problem"]) == (True, False, None)
        checked += found["checked"]
        if not (cursor := page["cursor"]):
            break
    assert checked == 7
    whole = good("GET", "/portfolio/main/ledger?limit=1&verify=true")["verification"]
    expected = {"ok": True, "checked": 7, "first": 1, "last": 7, "complete": True, "problem": None}
    assert whole == expected


@pytest.mark.parametrize("sequence", range(1, 8))
def test_a_changed_transaction_shows_on_its_page_and_in_the_whole(sequence: int) -> None:
    for amount in range(1, 7):
        moved(type="deposit", amount=str(amount))
    table = boto3.resource("dynamodb").Table("PortfolioTable")
    key = {"pk": "PORTFOLIO#main", "sk": f"LEDGER#{sequence:012d}"}
    item = table.get_item(Key=key)["Item"]
    table.put_item(Item=item | {"note": "forged"})
    assert not good("GET", "/portfolio/main/ledger?verify=true")["verification"]["ok"]
    first = good("GET", "/portfolio/main/ledger?limit=3")
    second = good("GET", f"/portfolio/main/ledger?limit=3&cursor={first['cursor']}")
    third = good("GET", f"/portfolio/main/ledger?limit=3&cursor={second['cursor']}")
    verdicts = [page["verification"]["ok"] for page in (first, second, third)]
    shown = [any(t["sequence"] == sequence for t in p["items"]) for p in (first, second, third)]
    assert not verdicts[shown.index(True)]


def test_a_portfolio_that_cannot_be_valued_says_so_and_holds_up_no_other() -> None:
    rate("1.25")
    moved(type="deposit", currency="EUR", amount="1")
    good("PUT", "/portfolio/second", TERMS)
    boto3.resource("dynamodb").Table("MarketTable").delete_item(
        Key={"pk": "PRICES", "sk": "EUR-USD"}
    )
    refused = call("GET", "/portfolio/main")
    assert (refused.status, "EUR to USD" in refused.json["detail"]) == (409, True)
    assert snapshot_schedule({}, Context()) == {"recorded": 1, "unknown": 0, "unpriced": 1}
    assert moved_without_a_view() == 1


def moved_without_a_view() -> int:
    """The owner's money moves though equity cannot be told: the entry is booked."""
    before = len(books()["ledger"])
    assert move("late", type="deposit", amount="1").status == 409
    return len(books()["ledger"]) - before
