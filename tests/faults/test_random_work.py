"""Random days on which workers die, calls fail, messages repeat: nothing is lost or doubled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.support.faults import Fault, Kind
from tests.support.faults_path import STANDING, Act, Request, Schedule
from tests.support.faults_world import World
from tests.support.floor import books, good, open_floor, order, set_price
from trading.domain.identifiers import derived_id

KINDS = st.sampled_from(
    [Kind.REFUSED, Kind.LOST, Kind.KILLED, Kind.TWICE, Kind.THROTTLED, Kind.OUTAGE]
)
FAULTS = st.none() | st.builds(Fault, KINDS, st.integers(0, 12))
MAX_TRADES, MAX_NOTIONAL = 8, Decimal(3000)
LIMITS = {"max_daily_trades": MAX_TRADES, "max_position_notional": str(MAX_NOTIONAL)}
CASH = Decimal(10000)


@dataclass(frozen=True)
class Step:
    """One thing that comes in, the fault that hits it, and how far the price moves before it."""

    act: Act
    fault: Fault | None
    price: int


def _order(side: str, quantity: int, terms: dict[str, Any], by: str) -> Request:
    path = "/orders" if by == "order" else "/recommendations"
    return Request("POST", path, order(str(quantity), side, **terms))


TERMS = st.sampled_from(
    [
        {},
        {"type": "limit", "limit_price": "97"},
        {"type": "limit", "limit_price": "103"},
        {"type": "stop", "stop_price": "96"},
        {"type": "stop", "stop_price": "104"},
        {"type": "trailing_stop", "trail_percent": "3"},
    ]
)
SIDES = st.sampled_from(["buy", "buy", "sell"])
ORDERS = st.builds(_order, SIDES, st.integers(1, 20), TERMS, st.just("order"))
RECOMMENDED = st.builds(_order, SIDES, st.integers(1, 20), st.just({}), st.just("recommendation"))
DEPOSITS = st.just(
    Request(
        "POST",
        "/portfolio/main/holdings/update",
        {"type": "deposit", "currency": "USD", "amount": "100"},
    )
)
OTHERS = st.sampled_from(
    [
        Request("POST", "/risk/main/halt", {"reason": "test"}, ignored=frozenset({"x"})),
        Request("POST", "/risk/main/resume"),
        Schedule("execution"),
        Schedule("risk"),
        Schedule("recommendations", "on_relay"),
    ]
)
STEPS = st.builds(
    Step, ORDERS | ORDERS | RECOMMENDED | DEPOSITS | OTHERS, FAULTS, st.integers(94, 106)
)


def test_random_work_under_random_faults_keeps_the_books(world: World) -> None:
    open_floor(cash=str(CASH), limits=LIMITS)
    world.save()

    @settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        database=None,
    )
    @given(steps=st.lists(STEPS, min_size=3, max_size=12))
    def day(steps: list[Step]) -> None:
        world.restore()
        acts = [_keyed(step.act, number) for number, step in enumerate(steps)]
        for act, step in zip(acts, steps, strict=True):
            world.wall += timedelta(seconds=10)
            set_price(str(step.price))
            event(f"fault {step.fault.kind if step.fault else None}")
            act.concluded(world, world.work(act.event(world), step.fault))
            _within_limits()
        for act in acts:
            if isinstance(act, Request):
                act.again(world)  # whoever got no answer, and whoever asks twice
        for standing in STANDING:
            standing.again(world)
        _nothing_lost(acts)
        _within_limits()
        assert good("POST", "/orders/reconcile", {})["differences"] == []

    day()


def _keyed(act: Act, number: int) -> Act:
    """Give a request a key of its own."""
    return replace(act, key=f"k{number}") if isinstance(act, Request) else act


def _within_limits() -> None:
    state = books()
    assert state["trades"] <= MAX_TRADES
    held = state["positions"].get("ACME")
    if held is not None:
        assert held.quantity >= 0
        assert held.cost_basis <= MAX_NOTIONAL * Decimal("1.2")  # judged at the mark of its time
    assert state["account"].available("USD") >= 0


def _nothing_lost(acts: list[Act]) -> None:
    """Every request has had its one effect: the order, recommendation or movement of its key."""
    state = books()
    listed = [o["id"] for o in good("GET", "/orders?limit=100")["items"]]
    assert len(listed) == len(set(listed))
    deposits = 0
    for act in acts:
        if not isinstance(act, Request):
            continue
        cause = f"request:testkey:{act.key}"
        if act.path == "/orders":
            assert derived_id("ord", "main", cause) in listed
        elif act.path == "/recommendations":
            made = derived_id("rec", "main", "ACME", cause)
            found = good("GET", f"/recommendations/{made}")
            assert found["execution_status"] in ("executed", "rejected")
            assert found["execution_status"] == "rejected" or found["order_id"] in listed
        elif act.path.endswith("/holdings/update"):
            deposits += 1
    assert state["account"].capital == {"USD": CASH + 100 * deposits}
    fills = good("GET", "/executions?limit=100")["items"]
    bought = sum(Decimal(f["quantity"]) * (1 if f["side"] == "buy" else -1) for f in fills)
    held = state["positions"].get("ACME")
    assert bought == (held.quantity if held else 0)
