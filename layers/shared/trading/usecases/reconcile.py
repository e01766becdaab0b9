"""Compares what is stored with what the ledger and the resting orders say; changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from trading.domain.ledger import BrokenLedger, LedgerTransaction, rebuild
from trading.domain.money import ZERO, plain
from trading.domain.order import Order
from trading.domain.portfolio import Portfolio
from trading.domain.position import Position
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


def lasting_differences(desk: Desk, portfolio_id: str) -> list[Difference]:
    """Differences of a portfolio that are there at two looks: not those of a trade in between.

    Raises NotFound for a portfolio that does not exist.
    """
    found = reconcile(desk, [portfolio_id]).differences
    if not found:
        return []
    again = reconcile(desk, [portfolio_id]).differences
    return [difference for difference in again if difference in found]


def _check_one(desk: Desk, portfolio_id: str, resting: Sequence[Order], report: Report) -> None:
    portfolio = desk.books.portfolio(portfolio_id)
    report.orders += len(resting)
    try:
        ledger = desk.portfolios.ledger(portfolio_id)
    except BrokenLedger as error:
        report.differences.append(Difference(portfolio_id, "ledger", "unreadable", str(error)))
        return
    report.transactions += len(ledger)
    found = compare_with_ledger(portfolio, ledger)
    report.differences += found
    if not any(difference.what == "ledger" for difference in found):
        compare = _collector(portfolio.account.portfolio_id, report.differences)
        _compare_reservations(compare, portfolio, resting)


def compare_with_ledger(
    portfolio: Portfolio, ledger: Sequence[LedgerTransaction]
) -> list[Difference]:
    """Check a ledger's chain, work the books out from it, and compare them with the stored ones.

    Cash, capital, income and the chain's head are the account's; of each position quantity, cost,
    profit, income, fees and lots are compared.
    """
    account = portfolio.account
    found: list[Difference] = []
    compare = _collector(account.portfolio_id, found)
    try:
        derived = rebuild(ledger, account.cost_method)
    except BrokenLedger as error:
        compare("ledger", "broken", str(error))
        return found
    of_others = {t.portfolio_id for t in ledger} - {account.portfolio_id}
    compare("ledger of other portfolios", "", ", ".join(sorted(of_others)))
    compare("ledger hash", account.ledger_hash, derived.hash)
    compare("ledger sequence", account.ledger_sequence, derived.sequence)
    _compare_amounts(compare, "cash", account.cash, derived.cash)
    _compare_amounts(compare, "capital", account.capital, derived.capital)
    _compare_amounts(compare, "income", account.income, derived.income)
    for name in ("quantity", "cost_basis", "realized_pnl", "income", "fees"):
        _compare_amounts(
            compare,
            name,
            {s: getattr(p, name) for s, p in portfolio.positions.items()},
            {s: getattr(p, name) for s, p in derived.positions.items()},
        )
    for symbol in sorted(portfolio.positions.keys() | derived.positions.keys()):
        stored, worked_out = portfolio.positions.get(symbol), derived.positions.get(symbol)
        compare(f"lots of {symbol}", _lots(stored), _lots(worked_out))
        if stored and worked_out:
            compare(f"currency of {symbol}", stored.currency, worked_out.currency)
            methods = stored.cost_method.value, worked_out.cost_method.value
            compare(f"cost method of {symbol}", *methods)
    return found


def _collector(portfolio_id: str, found: list[Difference]) -> Compare:
    """A comparison that notes what differs."""

    def compare(what: str, stored: object, derived: object) -> None:
        if stored != derived:
            found.append(Difference(portfolio_id, what, str(stored), str(derived)))

    return compare


def _lots(position: Position | None) -> str:
    """The lots of a position as text."""
    lots = position.lots if position else ()
    return ", ".join(f"{plain(lot.quantity)} for {plain(lot.cost)}" for lot in lots)


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
