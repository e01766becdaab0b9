"""Limits and books under writers that really run at the same time, on the emulator's tables."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import httpx
import pytest

from tests.stack.trading_floor import buy, open_floor
from tests.support.local_stack import LocalStack
from trading_cli.api import Api

WRITERS = 12


@pytest.fixture(scope="module")
def key(stack: LocalStack) -> str:
    return stack.key()


def place_all(
    stack: LocalStack, key: str, bodies: list[dict[str, str]], repeat: list[str]
) -> list[httpx.Response]:
    """Send all orders at once, each from a thread and a connection of its own."""

    def send(body: dict[str, str], repeat_key: str) -> httpx.Response:
        headers = {"X-TRADING-API-KEY": key, "Idempotency-Key": repeat_key}
        return httpx.post(
            f"{stack.api_url}/orders", json=body, headers=headers, timeout=60, trust_env=False
        )

    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(send, bodies, repeat))


def state(api: Api, portfolio_id: str) -> tuple[Decimal, Decimal]:
    """Cash, and units held of everything."""
    cash = Decimal(api.get(f"/portfolio/{portfolio_id}")["cash"]["USD"])
    positions = api.get(f"/portfolio/{portfolio_id}/positions")["items"]
    return cash, sum((Decimal(p["quantity"]) for p in positions), Decimal(0))


def test_orders_that_fit_a_cap_singly_but_not_together_never_all_pass(
    stack: LocalStack, key: str
) -> None:
    with Api(stack.api_url, key) as api:
        open_floor(api, "capped", "CAPPED", {"max_daily_trades": 3})
        bodies = [buy("capped", "CAPPED", "10")] * WRITERS
        answers = place_all(stack, key, bodies, [f"cap-{i}" for i in range(WRITERS)])

        by_status = Counter(a.status_code for a in answers)
        refused = [a.json() for a in answers if a.status_code == 422]
        assert set(by_status) <= {201, 409, 422}, [a.text for a in answers]
        assert {r["order"]["reason"] for r in refused} == {"daily_trades"}
        assert by_status[201] == 3
        assert state(api, "capped") == (Decimal(100000 - 3 * 1000), Decimal(30))
        assert api.post("/orders/reconcile", {"portfolio_id": "capped"})["differences"] == []


def test_cash_is_never_spent_twice(stack: LocalStack, key: str) -> None:
    with Api(stack.api_url, key) as api:
        open_floor(api, "poor", "POOR", {}, cash="2500")
        bodies = [buy("poor", "POOR", "10")] * WRITERS
        answers = place_all(stack, key, bodies, [f"cash-{i}" for i in range(WRITERS)])

        filled = [a for a in answers if a.status_code == 201]
        assert len(filled) == 2, Counter(a.status_code for a in answers)
        assert state(api, "poor") == (Decimal(500), Decimal(20))
        assert api.post("/orders/reconcile", {"portfolio_id": "poor"})["differences"] == []


def test_an_exposure_cap_holds_for_orders_that_arrive_together(stack: LocalStack, key: str) -> None:
    with Api(stack.api_url, key) as api:
        limits = {"max_allocation_percent": None, "max_symbol_exposure_percent": "4.5"}
        open_floor(api, "exposed", "EXPOSED", limits)
        bodies = [buy("exposed", "EXPOSED", "10")] * WRITERS
        answers = place_all(stack, key, bodies, [f"exposure-{i}" for i in range(WRITERS)])

        by_status = Counter(a.status_code for a in answers)
        refused = [a.json() for a in answers if a.status_code == 422]
        assert set(by_status) <= {201, 409, 422}, [a.text for a in answers]
        assert {r["order"]["reason"] for r in refused} == {"symbol_exposure"}
        assert by_status[201] == 4
        assert state(api, "exposed") == (Decimal(100000 - 4 * 1000), Decimal(40))
        assert api.post("/orders/reconcile", {"portfolio_id": "exposed"})["differences"] == []


def test_the_same_cash_is_never_promised_to_two_resting_orders(stack: LocalStack, key: str) -> None:
    with Api(stack.api_url, key) as api:
        open_floor(api, "promised", "PROMISED", {"max_allocation_percent": None,
                   "max_symbol_exposure_percent": None}, cash="2500")  # fmt: skip
        body = buy("promised", "PROMISED", "10") | {"type": "limit", "limit_price": "90"}
        answers = place_all(stack, key, [body] * WRITERS, [f"rest-{i}" for i in range(WRITERS)])

        refused = [a.json() for a in answers if a.status_code == 422]
        assert {r["order"]["reason"] for r in refused} == {"cash_available"}
        resting = [a for a in answers if a.status_code == 201]
        assert {a.json()["execution_status"] for a in resting} == {"accepted"}
        assert len(resting) == 2, Counter(a.status_code for a in answers)
        listed = Counter(
            o["execution_status"] for o in api.each("/orders", portfolio_id="promised")
        )
        assert listed["accepted"] == 2
        assert state(api, "promised") == (Decimal(2500), Decimal(0))
        assert api.post("/orders/reconcile", {"portfolio_id": "promised"})["differences"] == []


def test_twins_of_one_request_make_one_order_and_get_one_answer(
    stack: LocalStack, key: str
) -> None:
    with Api(stack.api_url, key) as api:
        open_floor(api, "twins", "TWINS", {})
        bodies = [buy("twins", "TWINS", "1")] * 6
        answers = place_all(stack, key, bodies, ["the-same-key"] * 6)

        answered = [a for a in answers if a.status_code == 201]
        assert answered
        assert {a.status_code for a in answers} <= {201, 409}
        assert len({a.text for a in answered}) == 1
        assert state(api, "twins") == (Decimal(99900), Decimal(1))
