"""Allocation through the service: rotation in one call, verdicts, repeats, and bad input."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from tests.support import candles
from tests.support.floor import INSTRUMENT, books, call, drain, good, open_floor
from trading.adapters.sqs.execution_queue import SqsExecutionQueue

PATH = "/portfolio/main/allocation"
SYMBOLS = ("AAA", "BBB", "CCC")


@pytest.fixture(autouse=True)
def floor(account: None) -> None:
    """A portfolio that is fully invested in BBB; everything costs 100."""
    open_floor(cash="10000", commission_rate="0", limits={})
    for symbol in SYMBOLS:
        good("PUT", f"/market/instruments/{symbol}", INSTRUMENT | {"base_currency": symbol})
    prices = [{"symbol": s, "price": "100"} for s in SYMBOLS]
    good("POST", "/market/prices", {"prices": prices})
    allocate({"BBB": "1"}, key="start")
    drain()
    assert held() == {"BBB": 100}


def allocate(weights: dict[str, str], key: str, **more: Any) -> dict[str, Any]:
    body = {"weights": weights, "dry_run": False, **more}
    made: dict[str, Any] = good("POST", PATH, body, key=key)
    return made


def held() -> dict[str, Decimal]:
    return {s: p.quantity for s, p in books()["positions"].items() if p.quantity}


def orders(made: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    return [(o["symbol"], o["side"], o["quantity"], o["passed"]) for o in made["orders"]]


def post_candles(**closes: Sequence[float]) -> None:
    for symbol, values in closes.items():
        bars = candles.course([f"{v:.4f}" for v in values], symbol)
        good("POST", "/market/candles", candles.body(bars))


def wave(count: int, size: float, period: int) -> list[float]:
    """Closes around 100 that go up and down by ``size`` once in ``period`` bars."""
    return [100 * (1 + size * ((i % period) / period)) for i in range(count)]


def test_a_fully_invested_portfolio_rotates_in_one_call() -> None:
    goal = {"AAA": "0.7", "BBB": "0.3"}
    dry = good("POST", PATH, {"weights": goal}, key="dry")
    assert orders(dry) == [("BBB", "sell", "70", True), ("AAA", "buy", "70", True)]
    assert dry["recommendations"] == []
    assert held() == {"BBB": 100}

    made = allocate(goal, "wet")
    assert orders(made) == orders(dry)
    assert [r["execution_status"] for r in made["recommendations"]] == ["queued", "queued"]
    drain()
    assert held() == {"AAA": 70, "BBB": 30}
    assert books()["account"].cash_in("USD") == 0


def test_buys_are_rejected_where_the_sell_that_was_to_pay_for_them_did_not_trade() -> None:
    made = allocate({"AAA": "1", "BBB": "0"}, "k")
    sell, buy = made["recommendations"]
    good("POST", f"/recommendations/{sell['id']}/cancel")
    drain()
    after = good("GET", f"/recommendations/{buy['id']}")
    assert (after["execution_status"], after["reason"]) == ("rejected", "cash_available")
    assert held() == {"BBB": 100}
    allocate({"AAA": "1", "BBB": "0"}, "again")
    drain()
    assert held() == {"AAA": 100}


def test_buys_wait_for_the_relay_while_the_queue_has_not_taken_every_sell(
    environment: pytest.MonkeyPatch,
) -> None:
    from recommendations.handler import on_relay
    from tests.support.http import Context

    sent: list[list[str]] = []

    def choosy(self: object, waiting: Sequence[Any]) -> list[str]:
        sent.append([f"{r.side} {r.symbol}" for r in waiting])
        return []

    with environment.context() as patch:
        patch.setattr(SqsExecutionQueue, "send", choosy)
        made = allocate({"AAA": "0.3", "CCC": "0.3", "BBB": "0.4"}, "k")
    assert sent == [["sell BBB"]]
    assert {r["execution_status"] for r in made["recommendations"]} == {"pending"}
    assert on_relay({}, Context())["sent"] == 3
    drain()
    assert held() == {"AAA": 30, "BBB": 40, "CCC": 30}


def test_each_order_is_judged_on_the_books_that_those_before_it_leave() -> None:
    good("PUT", "/risk/main/limits", {"max_daily_trades": 3, "max_symbol_exposure_percent": "60"})
    made = good("POST", PATH, {"weights": {"AAA": "0.5", "BBB": "0.1", "CCC": "0.4"}}, key="k")
    # One order was accepted before; the third of these would be the fourth of the day.
    assert [o["reason"] for o in made["orders"]] == [None, None, "daily_trades"]
    assert made["orders"][2]["symbol"] == "CCC"
    over = good("POST", PATH, {"weights": {"AAA": "0.7", "BBB": "0.1"}}, key="over")
    assert [o["reason"] for o in over["orders"]] == [None, "symbol_exposure"]


def test_a_second_allocation_leaves_what_the_first_has_on_its_way() -> None:
    allocate({"BBB": "0.5"}, "one")
    second = allocate({"BBB": "0.5"}, "two")
    assert second["orders"] == []
    assert second["left"] == {"BBB": "its last recommendation is still on its way"}
    drain()
    assert held() == {"BBB": 50}


def test_the_same_key_gives_the_same_answer_and_trades_once() -> None:
    first = allocate({"BBB": "0.5"}, "k")
    assert allocate({"BBB": "0.5"}, "k") == first
    drain()
    drain()
    assert held() == {"BBB": 50}
    other = call("POST", PATH, {"weights": {"BBB": "0.4"}, "dry_run": False}, key="k")
    assert other.status == 422


@pytest.mark.parametrize(
    ("method", "heavier"),
    [("equal", False), ("inverse_volatility", True), ("minimum_variance", True),
     ("risk_parity", True)],
)  # fmt: skip
def test_a_method_finds_the_weights_and_the_calm_symbol_gets_more(
    method: str, heavier: bool
) -> None:
    post_candles(AAA=wave(61, 0.02, 7), CCC=wave(61, 0.08, 5))
    body = {"method": method, "symbols": ["AAA", "CCC"], "cash_buffer_fraction": "0.1"}
    made = good("POST", PATH, body, key="k")
    found = {s: Decimal(w) for s, w in made["weights"].items()}
    assert Decimal("0.8999999") <= sum(found.values()) <= Decimal("0.9")
    assert (found["AAA"] > found["CCC"]) is heavier
    bounded = good("POST", PATH, body | {"max_weight": {"AAA": "0.46"}}, key="bounded")
    assert Decimal(bounded["weights"]["AAA"]) <= Decimal("0.46")


def test_only_bars_that_all_symbols_have_are_compared() -> None:
    post_candles(AAA=wave(61, 0.02, 7))
    bars = candles.course([f"{v:.4f}" for v in wave(61, 0.08, 5)], "CCC")
    good("POST", "/market/candles", candles.body(bars[::3]))
    body = {"method": "risk_parity", "symbols": ["AAA", "CCC"]}
    assert good("POST", PATH, body, key="k")["weights"]
    few = call("POST", PATH, body | {"window_bars": 40}, key="few")
    assert (few.status, few.json["errors"][0]["field"]) == (422, "symbols")


BAD: list[tuple[dict[str, Any], str]] = [
    ({"weights": {"AAA": "0.6", "BBB": "0.5"}}, "weights"),
    ({"weights": {"AAA": "-0.1"}}, "weights.AAA"),
    ({"weights": {"NOPE": "0.1"}}, "weights"),
    ({"weights": {"BARE": "0.1"}}, "weights"),
    ({"weights": {}}, "weights"),
    ({"weights": {"AAA": "0.1"}, "max_turnover": "-0.1"}, "max_turnover"),
    ({"weights": {"AAA": "0.1"}, "drift_band": "1.1"}, "drift_band"),
    ({"weights": {"AAA": "0.1"}, "cash_buffer_fraction": "1.1"}, "cash_buffer_fraction"),
    ({"weights": {"AAA": "0.1"}, "min_weight": {"AAA": "0.1"}}, ""),
    ({"weights": {"AAA": "0.1"}, "method": "equal", "symbols": ["AAA"]}, ""),
    ({"method": "equal"}, ""),
    ({"method": "best", "symbols": ["AAA"]}, "method"),
    ({"method": "equal", "symbols": ["NOPE"]}, "symbols"),
    ({"method": "equal", "symbols": ["AAA"], "max_weight": {"BBB": "0.1"}}, ""),
    ({"method": "risk_parity", "symbols": ["AAA", "CCC"]}, "symbols"),
    (
        {"method": "equal", "symbols": ["AAA", "CCC"], "min_weight": {"AAA": "0.6", "CCC": "0.5"}},
        "min_weight",
    ),
    (
        {"method": "equal", "symbols": ["AAA", "CCC"], "max_weight": {"AAA": "0.1", "CCC": "0.1"}},
        "max_weight",
    ),
]


def test_what_cannot_be_is_refused_by_name_and_writes_nothing() -> None:
    good("PUT", "/market/instruments/BARE", INSTRUMENT | {"base_currency": "BARE"})
    before = books()
    found = []
    for i, (body, _) in enumerate(BAD):
        answer = call("POST", PATH, body | {"dry_run": False}, key=f"bad-{i}")
        assert answer.status == 422, answer.text
        named = {e["field"].removeprefix("body").strip(".") for e in answer.json["errors"]}
        found.append((body, *named))
    assert found == BAD
    assert books() == before


def test_symbols_that_cannot_be_told_apart_have_no_minimum_variance() -> None:
    # Returns of plus and minus 1 %, exactly: nothing in them is noise that could be shrunk.
    closes = [100 * 1.01 ** ((i + 1) // 2) * 0.99 ** (i // 2) for i in range(61)]
    bars = {s: candles.course([f"{c:.8f}" for c in closes], s) for s in ("AAA", "CCC")}
    for series in bars.values():
        good("POST", "/market/candles", candles.body(series))
    body = {"method": "minimum_variance", "symbols": ["AAA", "CCC"]}
    answer = call("POST", PATH, body, key="k")
    assert answer.status == 422, answer.text
    assert "move exactly" in answer.text
