"""What a replayed portfolio came to: read over the API, checked against ledger and candles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from rich.markup import escape

from trading_cli.api import Api
from trading_cli.candles import Day
from trading_cli.ledger_check import add_up, compare
from trading_cli.output import console, table

Answer = dict[str, Any]
SHOWN_FILLS = 10
_FILL_FIGURES = ("quantity", "price", "notional", "fee")
_POSITION_FIGURES = {
    "cost": "average_cost",
    "price": "price",
    "value": "market_value",
    "unrealized": "unrealized_pnl",
    "realized": "realized_pnl",
    "fees": "fees",
}


@dataclass(frozen=True)
class Outcome:
    """All that the API says about a portfolio after a replay; lists are newest first."""

    signals: list[Answer]
    recommendations: list[Answer]
    orders: list[Answer]
    fills: list[Answer]
    portfolio: Answer
    positions: list[Answer]
    ledger: list[Answer]

    @classmethod
    def read(cls, api: Api, portfolio_id: str) -> Outcome:
        """Read it. Raises ApiError."""
        path = f"/portfolio/{portfolio_id}"
        return cls(
            signals=list(api.each("/signals")),
            recommendations=list(api.each("/recommendations", portfolio_id=portfolio_id)),
            orders=list(api.each("/orders", portfolio_id=portfolio_id)),
            fills=list(api.each("/executions", portfolio_id=portfolio_id)),
            portfolio=api.get(path),
            positions=list(api.each(f"{path}/positions")),
            ledger=list(api.each(f"{path}/ledger")),
        )

    def problems(self, days: Sequence[Day]) -> list[str]:
        """Return what does not hold: ledger against portfolio, fills against the candles."""
        closes = {s: Decimal(c["close"]) for day in days for s, c in day.candles.items()}
        problems = compare(add_up(self.ledger), self.portfolio, self.positions, closes)
        posted = sum(t["kind"] == "fill" for t in self.ledger)
        if posted != len(self.fills):
            problems.append(f"{len(self.fills)} fills, but {posted} of them in the ledger")
        if not self.fills:
            problems.append("nothing was traded")
        return problems + _off_the_candles(self.fills, days)

    def show(self) -> None:
        """Print it."""
        table("Signals", ("strategy", "#buy", "#sell", "#neutral"), _by_strategy(self.signals))
        rows = Counter(
            (r["execution_status"], r["side"], r["reason"] or "") for r in self.recommendations
        )
        table(
            f"Recommendations ({len(self.recommendations)})",
            ("status", "side", "reason", "#count"),
            ((*row, count) for row, count in sorted(rows.items())),
        )
        states = Counter((o["execution_status"], o["side"]) for o in self.orders)
        table(
            f"Orders ({len(self.orders)})",
            ("status", "side", "#count"),
            ((*row, count) for row, count in sorted(states.items())),
        )
        self._show_fills()
        self._show_positions()
        self._show_money()

    def _show_fills(self) -> None:
        """Print the newest fills."""
        shown = self.fills[:SHOWN_FILLS]
        table(
            f"Fills ({len(self.fills)}, the newest {len(shown)} shown)",
            ("day", "side", "symbol", "#quantity", "#price", "#notional", "#fee"),
            (
                (f["time"][:10], *(f[name] for name in ("side", "symbol", *_FILL_FIGURES)))
                for f in shown
            ),
        )

    def _show_positions(self) -> None:
        """Print every position, closed ones too."""
        table(
            "Positions",
            ("symbol", "#quantity", *(f"#{heading}" for heading in _POSITION_FIGURES)),
            (
                (p["symbol"], p["quantity"], *(_money(p[n]) for n in _POSITION_FIGURES.values()))
                for p in self.positions
            ),
        )

    def _show_money(self) -> None:
        """Print the portfolio's head figures."""
        base = self.portfolio["base_currency"]
        figures = ("capital", "equity", "realized_pnl", "unrealized_pnl", "fees", "total_pnl")
        table(
            f"Portfolio ({base})",
            ("figure", "#amount"),
            [("cash", _money(self.portfolio["cash"].get(base, "0")))]
            + [(name.replace("_pnl", " P&L"), _money(self.portfolio[name])) for name in figures],
        )


def show_verdict(problems: Sequence[str], outcome: Outcome) -> None:
    """Print whether everything holds."""
    if problems:
        for problem in problems:
            console.print(f"[red]does not hold:[/] {escape(problem)}", soft_wrap=True)
        return
    console.print(
        f"[bold green]ledger check passed[/]: cash, positions, fees, P&L and equity follow from"
        f" {len(outcome.ledger)} ledger transactions and the last closes;"
        f" all {len(outcome.fills)} fills are at closes of the replayed candles",
        soft_wrap=True,
    )


def _by_strategy(signals: Iterable[Answer]) -> list[tuple[str, int, int, int]]:
    """Count signals by strategy and direction."""
    counts: Counter[tuple[str, int]] = Counter()
    for signal in signals:
        score = Decimal(signal["score"])
        counts[signal["strategy"], (score > 0) - (score < 0)] += 1
    names = sorted({name for name, _ in counts})
    return [(name, counts[name, 1], counts[name, -1], counts[name, 0]) for name in names]


def _off_the_candles(fills: Iterable[Answer], days: Sequence[Day]) -> list[str]:
    """Name fills that are not at the close of a replayed candle, at the time it closed."""
    closes = {
        (symbol, day.on + timedelta(days=1)): Decimal(candle["close"])
        for day in days
        for symbol, candle in day.candles.items()
    }
    return [
        f"fill {f['id']}: {f['symbol']} at {f['price']} on {f['time']} is no close"
        for f in fills
        if closes.get((f["symbol"], datetime.fromisoformat(f["time"]).date()))
        != Decimal(f["price"])
    ]


def _money(amount: str | None) -> str:
    """Write an amount with separators and cents, for reading only."""
    return "-" if amount is None else f"{Decimal(amount):,.2f}"
