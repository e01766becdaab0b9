"""Past moments and corrections where clocks and figures are awkward."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.floor import INSTRUMENT, books, call, good, open_floor, place, set_price
from trading import bootstrap


@pytest.fixture(autouse=True)
def floor(account: None) -> None:
    open_floor()


def at(patch: pytest.MonkeyPatch, moment: datetime) -> None:
    patch.setattr(bootstrap, "wall_clock", lambda: moment)


def correct(key: str, **body: Any) -> Any:
    body = {"type": "correction", "currency": "USD", "symbol": "ACME", **body}
    return call("POST", "/portfolio/main/holdings/update", body, key=key)


def text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def test_every_past_moment_shows_what_was_true_then(environment: pytest.MonkeyPatch) -> None:
    start = datetime.now(UTC) + timedelta(minutes=1)
    seen = []
    for minute in range(4):
        at(environment, start + timedelta(minutes=minute))
        set_price(str(100 + minute))
        place("2", "sell" if minute == 3 else "buy")
        now = good("GET", "/portfolio/main")
        seen.append((start + timedelta(minutes=minute, seconds=1), now))
    at(environment, start + timedelta(minutes=9))
    for moment, then in seen:
        past = good("GET", f"/portfolio/main?as_of={text(moment)}")
        for field in ("cash", "capital", "realized_pnl", "fees", "ledger_hash", "positions"):
            assert past[field] == then[field], field


def test_a_past_moment_is_shown_though_a_worker_s_clock_was_behind(
    environment: pytest.MonkeyPatch,
) -> None:
    start = datetime.now(UTC) + timedelta(minutes=1)
    for seconds in (0, 10, 5, 20):
        at(environment, start + timedelta(seconds=seconds))
        place("1")
    past = good("GET", f"/portfolio/main?as_of={text(start + timedelta(seconds=7))}")
    assert past["ledger_sequence"] == 2
    assert (
        good("GET", f"/portfolio/main?as_of={text(start + timedelta(seconds=11))}")[
            "ledger_sequence"
        ]
        == 4
    )


def test_before_it_was_opened_a_portfolio_is_empty() -> None:
    past = good("GET", "/portfolio/main?as_of=2001-01-01T00:00:00Z")
    assert (past["cash"], past["equity"], past["ledger_sequence"]) == ({}, "0", 0)


def test_correcting_part_of_a_holding_whose_average_cost_never_ends_is_booked() -> None:
    good(
        "PUT",
        "/market/instruments/ACME",
        INSTRUMENT | {"lot_size": "0.00000001", "tick_size": "0.00000001"},
    )
    huge = {"quantity": "300000.00000007", "unit_cost": "99999999999.99999999"}
    assert correct("a", **huge).status == 200
    assert correct("b", quantity="0.00000003", unit_cost="1").status == 200
    assert correct("c", quantity="-123456.12345679").status == 200
    assert correct("d", quantity="-7.00000001").status == 200
    assert good("POST", "/orders/reconcile", {})["differences"] == []


def test_no_more_than_the_free_cash_can_be_taken_out() -> None:
    place("50", type="limit", limit_price="90")
    body = {"type": "withdrawal", "currency": "USD", "amount": "6000"}
    refused = call("POST", "/portfolio/main/holdings/update", body, key="a")
    assert refused.status == 422
    assert "5495.5 USD are free" in refused.json["errors"][0]["message"]
    body["amount"] = "5495.5"
    assert call("POST", "/portfolio/main/holdings/update", body, key="b").status == 200
    assert good("POST", "/orders/reconcile", {})["differences"] == []


@contextmanager
def answers_of_writes_are_lost(environment: pytest.MonkeyPatch) -> Iterator[None]:
    from trading.adapters.dynamodb.store import Store
    from trading.domain.errors import Unavailable

    write = Store.transact

    def loses_the_answer(self: Store, writes: Any) -> None:
        write(self, writes)
        raise Unavailable("the answer was lost")

    with environment.context() as patch:
        patch.setattr(Store, "transact", loses_the_answer)
        yield


@pytest.mark.parametrize("more", [{}, {"type": "limit", "limit_price": "90"}])
def test_an_order_whose_answer_was_lost_is_made_once(
    environment: pytest.MonkeyPatch, more: dict[str, str]
) -> None:
    with answers_of_writes_are_lost(environment):
        assert place("3", key="a", **more).status == 503
    after = books()
    made = place("3", key="a", **more)
    assert (made.status, [o["id"] for o in good("GET", "/orders")["items"]]) == (
        201,
        [made.json["id"]],
    )
    assert books() == after
    assert after["trades"] == 1
    with answers_of_writes_are_lost(environment):
        cancelled = call("DELETE", f"/orders/{made.json['id']}")
    assert cancelled.status == (503 if more else 409)
    if more:
        assert good("DELETE", f"/orders/{made.json['id']}")["execution_status"] == "cancelled"
        assert books()["account"].open_orders == 0


def test_a_movement_whose_answer_was_lost_happens_once(environment: pytest.MonkeyPatch) -> None:
    body = {"type": "deposit", "currency": "USD", "amount": "500"}
    with answers_of_writes_are_lost(environment):
        assert call("POST", "/portfolio/main/holdings/update", body, key="a").status == 503
    assert call("POST", "/portfolio/main/holdings/update", body, key="a").status == 200
    assert good("GET", "/portfolio/main")["cash"] == {"USD": "10500"}
