"""A new price reaches resting orders and stops by itself, with every schedule switched off."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.stack.trading_floor import buy, open_floor
from tests.support.local_stack import LocalStack
from trading_cli.api import Api

PATIENCE_SECONDS = 90


@pytest.fixture(scope="module")
def api(stack: LocalStack) -> Iterator[Api]:
    with stack.api() as client:
        yield client


def eventually(read: Callable[[], Any], wanted: Any) -> None:
    """Wait until something reads as wanted; the last reading is shown if it never does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := read()) != wanted and time.monotonic() < deadline:
        time.sleep(0.5)
    assert found == wanted


def test_a_new_price_fills_a_resting_order_and_sets_its_exits_to_work(api: Api) -> None:
    open_floor(api, "streamed", "STREAM", {})
    body = {
        **buy("streamed", "STREAM", "10"),
        "type": "limit",
        "limit_price": "95",
        "take_profit": {"limit_price": "120"},
        "stop_loss": {"stop_price": "80"},
    }
    entry = api.post("/orders", body, repeat_key="entry")

    def states() -> list[str]:
        ids = (entry["id"], entry["take_profit_id"], entry["stop_loss_id"])
        return [api.get(f"/orders/{i}")["execution_status"] for i in ids]

    assert states() == ["accepted", "new", "new"]
    api.post("/market/prices", {"prices": [{"symbol": "STREAM", "price": "94"}]})
    eventually(states, ["filled", "accepted", "accepted"])
    api.post("/market/prices", {"prices": [{"symbol": "STREAM", "price": "79"}]})
    eventually(states, ["filled", "cancelled", "filled"])
    assert api.post("/orders/reconcile", {"portfolio_id": "streamed"})["differences"] == []
