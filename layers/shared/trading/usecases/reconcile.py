"""Compares what is stored with what the ledger and the resting orders say; changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from trading.domain.ledger import BrokenLedger, rebuild
from trading.domain.money import ZERO, plain
from trading.domain.order import Order
from trading.domain.portfolio import Portfolio
from trading.ports import Desk

Compare = Callable[[str, object, object], None]


@dataclass(frozen=True)
class Difference:
    """One disagreement: what it is about, what is stored, and what was derived."""

    portfolio_id: str
    what: str
    stored: str
    derived: str


@dataclass
class Report:
    """What was compared, and every disagreement found."""

    orders: int = 0
    transactions: int = 0
    differences: list[Difference] = field(default_factory=list)


def reconcile(desk: Desk, portfolio_ids: Sequence[str]) -> Report:
    """Check portfolios one by one. Raises NotFound for one that does not exist.

    A portfolio that trades while it is read may show differences that a second run does not.
    """
    report = Report()
    resting = desk.orders.open()
    for portfolio_id in portfolio_ids:
        own = [order for order in resting if order.portfolio_id == portfolio_id]
        _check_one(desk, portfolio_id, own, report)
    return report


def _check_one(desk: Desk, portfolio_id: str, resting: Sequence[Order], report: Report) -> None:
    portfolio = desk.books.portfolio(portfolio_id)
    account = portfolio.account
    ledger = desk.portfolios.ledger(portfolio_id)
    report.orders += len(resting)
    report.transactions += len(ledger)

    def compare(what: str, stored: object, derived: object) -> None:
        if stored != derived:
            report.differences.append(Difference(portfolio_id, what, str(stored), str(derived)))

    try:
        derived = rebuild(ledger)
    except BrokenLedger as error:
        compare("ledger", "broken", str(error))
        return
    compare("ledger hash", account.ledger_hash, derived.hash)
    compare("ledger sequence", account.ledger_sequence, derived.sequence)
    _compare_amounts(compare, "cash", account.cash, derived.cash)
    _compare_amounts(compare, "capital", account.capital, derived.capital)
    for name in ("quantity", "cost_basis", "realized_pnl", "fees"):
        _compare_amounts(
            compare,
            name,
            {s: getattr(p, name) for s, p in portfolio.positions.items()},
            {s: getattr(p, name) for s, p in derived.positions.items()},
        )
    _compare_reservations(compare, portfolio, resting)


def _compare_amounts(
    compare: Compare, what: str, stored: Mapping[str, Decimal], derived: Mapping[str, Decimal]
) -> None:
    """Compare amounts by name; a missing one is zero."""
    for name in sorted(stored.keys() | derived.keys()):
        compare(f"{what} of {name}", plain(stored.get(name, ZERO)), plain(derived.get(name, ZERO)))


def _compare_reservations(compare: Compare, portfolio: Portfolio, resting: Sequence[Order]) -> None:
    """Compare what is promised to resting orders with the sum over them."""
    account = portfolio.account
    compare("open orders", account.open_orders, len(resting))
    cash: dict[str, Decimal] = {}
    units: dict[str, Decimal] = {}
    notional: dict[str, Decimal] = {}
    for order in resting:
        cash[order.currency] = cash.get(order.currency, ZERO) + order.reserved_cash
        units[order.symbol] = units.get(order.symbol, ZERO) + order.reserved_quantity
        notional[order.symbol] = notional.get(order.symbol, ZERO) + order.reserved_notional
    _compare_amounts(compare, "reserved cash", account.reserved, cash)
    stored = {s: p.reserved_quantity for s, p in portfolio.positions.items()}
    _compare_amounts(compare, "reserved quantity", stored, units)
    stored = {s: p.reserved_notional for s, p in portfolio.positions.items()}
    _compare_amounts(compare, "reserved notional", stored, notional)
