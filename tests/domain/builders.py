"""Small portfolios, orders and prices for tests of the domain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from trading.domain.books import BookChange, Snapshot
from trading.domain.candle import Price
from trading.domain.instrument import Instrument
from trading.domain.matching import Observation, attempt, price_point, shown_to, venue_sequence
from trading.domain.order import Order, OrderType, Side
from trading.domain.order_life import match, room_for
from trading.domain.portfolio import Account, Mode, Portfolio
from trading.domain.position import Position
from trading.domain.recommendation import Recommendation
from trading.domain.risk.limits import RiskLimits

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ACME = Instrument(
    symbol="ACME",
    base_currency="ACME",
    quote_currency="USD",
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.5"),
    min_notional=Decimal(10),
    max_price_age_seconds=60,
)
_NO_LIMITS: dict[str, Any] = {
    name: None for name, field in RiskLimits.model_fields.items() if "None" in str(field.annotation)
}
UNLIMITED = RiskLimits(**_NO_LIMITS)


def limits(**some: Any) -> RiskLimits:
    """These limits and no others."""
    return RiskLimits(**(_NO_LIMITS | some))


def d(value: str | int) -> Decimal:
    """A decimal."""
    return Decimal(value)


def account(cash: str | int = 1000, rate: str = "0.001", **changes: Any) -> Account:
    """An account with some cash."""
    fields: dict[str, Any] = {
        "portfolio_id": "p",
        "base_currency": "USD",
        "mode": Mode.MOCK,
        "commission_rate": d(rate),
        "cash": {"USD": d(cash)},
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Account(**(fields | changes))


def position(quantity: str | int, cost: str | int, **changes: Any) -> Position:
    """A holding of ACME."""
    return Position(
        symbol="ACME",
        currency="USD",
        quantity=d(quantity),
        cost_basis=d(cost),
        **changes,
    )


def price(value: str | int = 100, age: int = 0) -> Price:
    """A price of ACME, ``age`` seconds old."""
    return Price(symbol="ACME", price=d(value), time=NOW - timedelta(seconds=age), source="test")


def snapshot(
    owner: Account | None = None,
    held: Position | None = None,
    mark: Price | None = None,
    limits: RiskLimits = UNLIMITED,
    trades_today: int = 0,
    *,
    priced: bool = True,
) -> Snapshot:
    """What a decision about ACME is made from; priced at 100 unless told otherwise."""
    known = mark or (price() if priced else None)
    return Snapshot(
        portfolio=Portfolio(
            account=owner or account(),
            positions={"ACME": held} if held else {},
            prices={"ACME": known} if known else {},
        ),
        instrument=ACME,
        limits=limits,
        trades_today=trades_today,
        existing=None,
        now=NOW,
    )


def order(
    quantity: str | int = 1,
    side: Side = Side.BUY,
    limit_price: str | int | None = None,
    identifier: str = "ord_1",
    **terms: Any,
) -> Order:
    """A new order for ACME."""
    if "type" not in terms:
        terms["type"] = OrderType.LIMIT if limit_price is not None else OrderType.MARKET
    return Order(
        id=identifier,
        portfolio_id="p",
        symbol="ACME",
        side=side,
        quantity=d(quantity),
        limit_price=None if limit_price is None else d(limit_price),
        currency="USD",
        cause=f"test:{identifier}",
        request_hash="req",
        created_at=NOW,
        updated_at=NOW,
        correlation_id="c",
        **terms,
    )


def later(value: str | int, seconds: int = 10) -> Observation:
    """A single price of ACME that comes after ``NOW``."""
    return price_point(price(value, age=-seconds))


def bar(low: int, high: int, opens: int, closes: int, volume: str | None = None) -> Observation:
    """A bar of ACME that begins at ``NOW`` and lasts a minute."""
    return Observation(
        symbol="ACME",
        start=NOW,
        time=NOW + timedelta(minutes=1),
        open=d(opens),
        high=d(high),
        low=d(low),
        close=d(closes),
        volume=None if volume is None else d(volume),
    )


def matched(
    resting: Order,
    seen: Observation,
    state: Snapshot,
    cause: Recommendation | None = None,
) -> BookChange | None:
    """The first thing that an observation does to a resting order, None if nothing."""
    part = shown_to(resting, seen)
    state = state.model_copy(update={"existing": resting, "now": max(state.now, seen.time)})
    model = state.portfolio.account.fill_model
    for phase, _ in venue_sequence([resting], seen) if part else []:
        room = room_for(resting, part or seen, state)
        found = attempt(resting, part or seen, phase, model, ACME, room)
        if found is not None:
            return match(resting, found, part or seen, state, cause)
    return None
