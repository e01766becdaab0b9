"""Portfolios of two symbols in two currencies, and the verdict of one rule on an order."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.domain.builders import ACME, NOW, account, d, limits
from trading.domain.candle import Price
from trading.domain.order import Order, Side
from trading.domain.portfolio import Portfolio
from trading.domain.position import Position
from trading.domain.risk.engine import judge
from trading.domain.risk.equity_marks import EquityMarks
from trading.domain.risk.rule import OrderContext, RiskRule, RuleResult
from trading.domain.risk.rules import ALL_RULES
from trading.domain.risk.tail import ReturnSeries, TailState

BY_NAME: dict[str, RiskRule] = {rule.name: rule for rule in ALL_RULES}
EUR_RATE = d("1.25")
FEW, MANY = 250, tuple(range(250))
RETURNS = tuple(Decimal(i * 37 % 101 - 50).scaleb(-3) for i in MANY)


def holding(symbol: str, quantity: Decimal, currency: str, **more: Any) -> Position:
    """A holding that cost what it is worth, 100 or 40 a unit."""
    cost = quantity * (100 if symbol == "ACME" else 40)
    return Position(symbol=symbol, currency=currency, quantity=quantity, cost_basis=cost, **more)


def portfolio(
    acme: str | Decimal | int = 0,
    bolt: str | Decimal | int = 0,
    *,
    cash: str | int = 10_000,
    rates: dict[str, Decimal] | None = None,
    acme_more: dict[str, Any] | None = None,
    bolt_more: dict[str, Any] | None = None,
    **more: Any,
) -> Portfolio:
    """ACME at 100 USD and BOLT at 40 EUR, in a portfolio of USD; a EUR is 1.25 USD."""
    held = {
        "ACME": holding("ACME", Decimal(acme), "USD", **(acme_more or {})),
        "BOLT": holding("BOLT", Decimal(bolt), "EUR", **(bolt_more or {})),
    }
    prices = {
        "ACME": Price(symbol="ACME", price=d(100), time=NOW, source="test", previous=d(99)),
        "BOLT": Price(symbol="BOLT", price=d(40), time=NOW, source="test"),
    }
    return Portfolio(
        account=account(cash, **more),
        positions=held,
        prices=prices,
        rates={"EUR": EUR_RATE} if rates is None else rates,
    )


def marks(peak: str | int | Decimal, day_open: str | int | Decimal, **more: Any) -> EquityMarks:
    """Equity marks of today."""
    return EquityMarks(peak=Decimal(peak), day=NOW.date(), day_open=Decimal(day_open), **more)


def series(symbol: str = "ACME", returns: tuple[Decimal, ...] = RETURNS) -> ReturnSeries:
    """Returns of a symbol on the common bars."""
    times = tuple(range(len(returns)))
    return ReturnSeries(symbol=symbol, timeframe="1d", as_of=NOW, times=times, returns=returns)


def tail(held: Portfolio, age: timedelta = timedelta(0)) -> TailState:
    """The tail state of a portfolio whose symbols all move alike."""
    worth = held.holdings_value
    return TailState(
        portfolio_id="p",
        timeframe="1d",
        as_of=NOW - age,
        times=MANY,
        pnl=tuple(worth * r for r in RETURNS),
        quantities={s: p.quantity for s, p in held.positions.items() if p.quantity},
        returns={"ACME": series("ACME"), "BOLT": series("BOLT")},
    )


def context(made: Order, held: Portfolio, caps: dict[str, Any], **more: Any) -> OrderContext:
    """All that rules look at, with marks and a tail state unless told otherwise."""
    known: dict[str, Any] = {
        "marks": marks(held.equity, held.equity) if "EUR" in held.rates else None,
        "tail": tail(held) if "EUR" in held.rates else None,
        "volatility": d("0.3"),
    }
    return OrderContext(
        order=made,
        instrument=ACME,
        portfolio=held,
        limits=limits(**caps),
        mark=held.prices.get("ACME"),
        trades_today=3,
        now=NOW,
        **(known | more),
    )


def result(rule: str, made: Order, held: Portfolio, **state: Any) -> RuleResult:
    """One rule's result; ``state`` holds limits, and what is known by the names of the context."""
    names = ("marks", "tail", "volatility", "already_accepted", "mark")
    known = {name: state.pop(name) for name in names if name in state}
    found = context(made, held, state, **{k: v for k, v in known.items() if k != "mark"})
    if "mark" in known:
        found.mark = known["mark"]
        found.__post_init__()
    return next(r for r in judge(found).results if r.rule == rule)


def signed(made: Order) -> Decimal:
    """The units that an order adds."""
    return made.quantity if made.side is Side.BUY else -made.quantity
