"""Compares a backtest with what the same candles did in paper mode: every fill, then the books."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from trading.domain.backtest import BacktestConfig
from trading.domain.position import Position
from trading.quant.simulation.result import BacktestResult

Answer = Mapping[str, Any]


@dataclass(frozen=True)
class Trade:
    """One fill as both sides are held against each other; quantity is negative for a sale."""

    time: datetime
    symbol: str
    quantity: Decimal
    price: Decimal
    fee: Decimal

    @classmethod
    def of(cls, fill: Answer) -> Trade:
        """A fill of ``GET /executions``."""
        sign = 1 if fill["side"] == "buy" else -1
        return cls(
            time=datetime.fromisoformat(fill["time"]),
            symbol=fill["symbol"],
            quantity=sign * Decimal(fill["quantity"]),
            price=Decimal(fill["price"]),
            fee=Decimal(fill["fee"]),
        )

    def __str__(self) -> str:
        """One line for a message."""
        side = "buy" if self.quantity > 0 else "sell"
        return (
            f"{self.time:%Y-%m-%d %H:%M} {side} {abs(self.quantity):f} {self.symbol}"
            f" at {self.price:f}, fee {self.fee:f}"
        )


@dataclass(frozen=True)
class Holding:
    """A position as both sides are held against each other."""

    quantity: Decimal
    realized_pnl: Decimal
    fees: Decimal


@dataclass(frozen=True)
class Books:
    """What both sides must end with: cash of the base currency, and every position."""

    cash: Decimal
    holdings: Mapping[str, Holding]

    @classmethod
    def of(cls, portfolio: Answer, positions: Iterable[Answer]) -> Books:
        """The books that the API shows."""
        return cls(
            cash=Decimal(portfolio["cash"].get(portfolio["base_currency"], "0")),
            holdings={
                p["symbol"]: Holding(
                    Decimal(p["quantity"]), Decimal(p["realized_pnl"]), Decimal(p["fees"])
                )
                for p in positions
            },
        )


def trades_of(result: BacktestResult) -> list[Trade]:
    """The fills of a backtest."""
    return [Trade(f.time, f.symbol, f.quantity, f.price, f.fee) for f in result.fills.records()]


def books_of(result: BacktestResult) -> Books:
    """The books that a backtest ends with: its cash, and its fills posted to positions."""
    positions: dict[str, Position] = {}
    config: BacktestConfig = result.config
    for trade in trades_of(result):
        held = positions.get(trade.symbol) or Position(
            symbol=trade.symbol, currency=config.base_currency, cost_method=config.cost_method
        )
        cost = trade.quantity * trade.price
        positions[trade.symbol] = held.traded(trade.quantity, cost, trade.fee)
    return Books(
        cash=result.final_cash,
        holdings={s: Holding(p.quantity, p.realized_pnl, p.fees) for s, p in positions.items()},
    )


def first_difference(backtest: Sequence[Trade], paper: Sequence[Trade]) -> str | None:
    """Say where the fills part, both sides in words; None where they are equal."""
    for number, (expected, got) in enumerate(zip_longest(backtest, paper), start=1):
        if expected != got:
            return f"fill {number}: backtest {expected or 'has none'}; paper {got or 'has none'}"
    return None


def difference_of_books(backtest: Books, paper: Books) -> str | None:
    """Say where the books differ first; None where they are equal."""
    if backtest.cash != paper.cash:
        return f"cash: backtest {backtest.cash:f}; paper {paper.cash:f}"
    for symbol in sorted({*backtest.holdings, *paper.holdings}):
        expected, got = backtest.holdings.get(symbol), paper.holdings.get(symbol)
        if expected is None or got is None:
            return f"{symbol}: held by {'paper' if expected is None else 'the backtest'} only"
        for name in (f.name for f in fields(Holding)):
            a, b = getattr(expected, name), getattr(got, name)
            if a != b:
                return f"{symbol}, {name}: backtest {a:f}; paper {b:f}"
    return None
