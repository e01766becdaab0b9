"""From a signal to what is held: its hints become a bracket, and scores turn holdings around."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.support.floor import books, drain, good, open_floor, set_price
from tests.support.http import Context

POLICY = {"target_fraction": "0.5", "direction": "long"}


def say(score: str, **hints: str) -> None:
    """An outside source's newest signal on ACME."""
    say.count += 1  # type: ignore[attr-defined]
    moment = datetime.now(UTC) - timedelta(minutes=5) + timedelta(seconds=say.count)  # type: ignore[attr-defined]
    body = {"symbol": "ACME", "source": "desk", "strategy": "mood", "score": score, **hints}
    good("POST", "/signals", body | {"time": moment.isoformat()})


say.count = 0  # type: ignore[attr-defined]


def act() -> dict[str, Any]:
    """Recommend by the newest signals and execute; the recommendation that came of it."""
    made = good("POST", "/recommendations/generate", {"portfolio_ids": ["main"]})
    assert sum(made[name] for name in made if name in ("created", "queued")) >= 0
    drain()
    found: dict[str, Any] = good("GET", "/recommendations")["items"][0]
    return good("GET", f"/recommendations/{found['id']}")


def resting() -> dict[str, Any]:
    """The orders that rest, by type."""
    orders = good("GET", "/orders")["items"]
    return {o["type"]: o for o in orders if o["execution_status"] == "accepted"}


def held() -> Decimal:
    position = books()["positions"].get("ACME")
    return position.quantity if position else Decimal(0)


def verified() -> None:
    answer = good("GET", "/portfolio/main/ledger?verify=true")
    assert (answer["verification"]["ok"], answer["verification"]["complete"]) == (True, True)


def test_hints_of_a_signal_become_the_exits_of_its_order(account: None) -> None:
    open_floor(policy=POLICY)
    say("1", stop_distance="0.05", target_distance="0.1", size="0.5")
    made = act()
    assert (made["stop_loss"], made["take_profit"]) == ("95", "110")
    assert held() == Decimal(25)  # half of half of 10,000, at 100
    exits = resting()
    assert exits["stop"]["stop_price"] == "95"
    assert exits["limit"]["limit_price"] == "110"
    assert {o["quantity"] for o in exits.values()} == {"25"}
    set_price("94.5")
    from execution.handler import on_schedule

    on_schedule({}, Context())
    assert held() == 0
    assert resting() == {}
    verified()


def test_a_score_that_leaves_takes_over_the_units_of_the_exits(account: None) -> None:
    open_floor(policy=POLICY | {"stop_loss_percent": "5", "take_profit_percent": "10"})
    say("1")
    act()
    assert held() == 50
    assert set(resting()) == {"stop", "limit"}
    say("-1")
    act()
    assert held() == 0
    ended = [o for o in good("GET", "/orders")["items"] if o["execution_status"] == "cancelled"]
    assert {o["type"] for o in ended} == {"stop", "limit"}
    assert all("replaced by" in o["reason"] for o in ended)
    assert resting() == {}
    verified()


def test_a_score_the_other_way_turns_a_holding_around_in_one_order(account: None) -> None:
    open_floor(policy=POLICY | {"direction": "both"}, margin=True)
    say("-1")
    act()
    short = held()
    assert short < 0
    say("1")
    made = act()
    assert made["side"] == "buy"
    assert held() > 0
    assert Decimal(made["quantity"]) == held() - short
    filled = [o for o in good("GET", "/orders")["items"] if o["execution_status"] == "filled"]
    assert len(filled) == 2
    verified()


@pytest.mark.parametrize("direction", ["long", "short"])
def test_a_side_that_the_policy_does_not_open_is_not_opened(account: None, direction: str) -> None:
    open_floor(policy=POLICY | {"direction": direction}, margin=True)
    say("-1" if direction == "long" else "1")
    good("POST", "/recommendations/generate", {"portfolio_ids": ["main"]})
    drain()
    assert good("GET", "/recommendations")["items"] == []
    assert held() == 0
