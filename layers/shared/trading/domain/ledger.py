"""The append-only double-entry ledger, chained by hash, and its projections.

Every transaction is a set of entries that sum to zero per commodity (a currency, or the units of
an instrument). Accounts: ``cash`` and ``holdings`` are what the portfolio owns, ``trading`` is
the exchange of one commodity for another, ``fees`` the cost of it, ``capital`` what the owner put
in or took out, in the base currency at the rate of the moment. ``dividends``, ``funding`` and
``borrowing`` are what holding and owing brought or cost, ``splits`` the units that splits made,
``corrections`` what had to be put right. Each transaction carries the hash of the one before it,
so that any later change shows.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from trading.domain.errors import InvalidInput
from trading.domain.money import MAX_NOTIONAL, ZERO, plain
from trading.domain.order import Fill, Side
from trading.domain.position import CostMethod, Position
from trading.domain.time import to_text
from trading.domain.value import Value

GENESIS_HASH = "0" * 64
# The canonical form that hashes are over; json.dumps would make an encoder each time.
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


class TransactionKind(StrEnum):
    """What happened."""

    FILL = "fill"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    CORRECTION = "correction"
    DIVIDEND = "dividend"
    SPLIT = "split"
    FUNDING = "funding"
    BORROW_COST = "borrow_cost"
    CONVERSION = "conversion"


INCOME_ACCOUNTS = {
    TransactionKind.DIVIDEND: "dividends",
    TransactionKind.FUNDING: "funding",
    TransactionKind.BORROW_COST: "borrowing",
}
"""The account that stands against cash where holding or owing brings or costs money."""


class Entry(Value):
    """One line: ``amount`` of ``commodity`` into (positive) or out of an account."""

    account: str
    commodity: str
    amount: Decimal


class LedgerTransaction(Value):
    """Entries that belong together, at one moment, for one cause.

    ``symbol``, ``currency`` are set where a position changed. ``sequence`` counts from 1 within a
    portfolio without gaps.
    """

    portfolio_id: str
    sequence: int
    kind: TransactionKind
    cause: str
    time: datetime
    recorded_at: datetime
    entries: tuple[Entry, ...]
    symbol: str | None = None
    currency: str
    note: str | None = None
    correlation_id: str
    previous_hash: str
    hash: str = ""

    def computed_hash(self) -> str:
        """SHA-256 over the canonical JSON of everything but the hash itself."""
        content = {
            "portfolio_id": self.portfolio_id,
            "sequence": self.sequence,
            "kind": self.kind.value,
            "cause": self.cause,
            "time": to_text(self.time),
            "recorded_at": to_text(self.recorded_at),
            "entries": [[e.account, e.commodity, plain(e.amount)] for e in self.entries],
            "symbol": self.symbol,
            "currency": self.currency,
            "note": self.note,
            "correlation_id": self.correlation_id,
            "previous_hash": self.previous_hash,
        }
        return hashlib.sha256(_CANONICAL.encode(content).encode()).hexdigest()

    def sealed(self) -> LedgerTransaction:
        """Return it with its hash. Raises ValueError if the entries do not balance."""
        sums = sums_by_commodity(self.entries)
        if any(sums.values()):
            off = {c: plain(s) for c, s in sums.items() if s}
            raise ValueError(f"entries do not sum to zero: {off}")
        return self.model_copy(update={"hash": self.computed_hash()})


def sums_by_commodity(entries: Iterable[Entry]) -> dict[str, Decimal]:
    """Add up the entries of each commodity."""
    sums: dict[str, Decimal] = {}
    for entry in entries:
        sums[entry.commodity] = sums.get(entry.commodity, ZERO) + entry.amount
    return sums


def _exchange(
    account_in: str, account_out: str, commodity: str, amount: Decimal
) -> tuple[Entry, ...]:
    """Move ``amount`` of a commodity from one account to another; nothing if it is zero."""
    if not amount:
        return ()
    return (
        Entry.trusted(account=account_in, commodity=commodity, amount=amount),
        Entry.trusted(account=account_out, commodity=commodity, amount=-amount),
    )


def fill_entries(fill: Fill) -> tuple[Entry, ...]:
    """The entries of a fill: units one way, money the other, the fee out of cash."""
    sign = 1 if fill.side is Side.BUY else -1
    return (
        *_exchange("holdings", "trading", fill.symbol, fill.quantity * sign),
        *_exchange("trading", "cash", fill.currency, fill.notional * sign),
        *_exchange("fees", "cash", fill.currency, fill.fee),
    )


def cash_entries(
    currency: str, amount: Decimal, base: str | None = None, worth: Decimal = ZERO
) -> tuple[Entry, ...]:
    """The entries of a deposit (positive amount) or a withdrawal (negative).

    In another currency than ``base``, capital counts what the amount is ``worth`` in that.
    """
    if base is None or base == currency:
        return _exchange("cash", "capital", currency, amount)
    return (
        *_exchange("cash", "trading", currency, amount),
        *_exchange("trading", "capital", base, worth),
    )


def income_entries(kind: TransactionKind, currency: str, amount: Decimal) -> tuple[Entry, ...]:
    """The entries of a dividend, of funding, or of a borrow cost; ``amount`` goes into cash."""
    return _exchange("cash", INCOME_ACCOUNTS[kind], currency, amount)


def split_entries(symbol: str, units: Decimal) -> tuple[Entry, ...]:
    """The entries of a split that changes a holding by ``units``."""
    return _exchange("holdings", "splits", symbol, units)


def conversion_entries(
    currency: str, amount: Decimal, to_currency: str, proceeds: Decimal
) -> tuple[Entry, ...]:
    """The entries of changing ``amount`` of one currency into ``proceeds`` of another."""
    return (
        *_exchange("trading", "cash", currency, amount),
        *_exchange("cash", "trading", to_currency, proceeds),
    )


def correction_entries(
    currency: str, cash: Decimal, symbol: str | None, quantity: Decimal, cost: Decimal
) -> tuple[Entry, ...]:
    """The entries that put cash right, or a holding (``quantity`` units at ``cost`` in all).

    The cost of corrected holdings stands on ``trading`` against ``corrections``, as the cost of
    bought ones stands there against cash. Raises InvalidInput for a cost too large to be stored.
    """
    if abs(cost) >= MAX_NOTIONAL:
        raise InvalidInput("quantity", f"makes the correction worth {plain(MAX_NOTIONAL)} or more")
    entries = _exchange("cash", "corrections", currency, cash)
    if symbol is not None:
        entries += _exchange("holdings", "corrections", symbol, quantity)
        entries += _exchange("trading", "corrections", currency, cost)
    return entries


class Projection(Value):
    """What the ledger says: cash by currency, positions by symbol, capital put in, fees, income."""

    cash: dict[str, Decimal]
    positions: dict[str, Position]
    capital: dict[str, Decimal]
    fees: dict[str, Decimal]
    income: dict[str, Decimal]
    sequence: int
    hash: str


class BrokenLedger(ValueError):
    """The stored ledger is not the one that was written; says which transaction and how."""


def rebuild(
    transactions: Iterable[LedgerTransaction], cost_method: CostMethod = CostMethod.AVERAGE
) -> Projection:
    """Replay a portfolio's ledger from its first transaction, checking the chain on the way.

    Raises BrokenLedger for a gap, a wrong hash or entries that do not sum to zero.
    """
    totals: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    positions: dict[str, Position] = {}
    sequence, previous = 0, GENESIS_HASH
    for transaction in transactions:
        check_link(transaction, sequence, previous)
        sequence, previous = transaction.sequence, transaction.hash
        for entry in transaction.entries:
            totals[entry.account][entry.commodity] += entry.amount
        if transaction.symbol is not None:
            held = positions.get(transaction.symbol) or Position(
                symbol=transaction.symbol, currency=transaction.currency, cost_method=cost_method
            )
            positions[transaction.symbol] = apply_to_position(held, transaction)
    income: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for account in INCOME_ACCOUNTS.values():
        for currency, amount in totals[account].items():
            income[currency] -= amount
    return Projection(
        cash=dict(totals["cash"]),
        positions=positions,
        capital={c: -a for c, a in totals["capital"].items()},
        fees=dict(totals["fees"]),
        income=dict(income),
        sequence=sequence,
        hash=previous,
    )


def check_link(transaction: LedgerTransaction, sequence: int, previous: str) -> None:
    """Raise BrokenLedger unless ``transaction`` is whole and follows on what came before it.

    ``sequence`` and ``previous`` are the number and the hash of the one before.
    """
    where = f"transaction {transaction.sequence} of '{transaction.portfolio_id}'"
    if transaction.sequence != sequence + 1:
        raise BrokenLedger(f"{where} follows number {sequence}: there is a gap")
    if transaction.previous_hash != previous:
        raise BrokenLedger(f"{where} does not carry the hash of the one before it")
    if transaction.hash != transaction.computed_hash():
        raise BrokenLedger(f"{where} was changed after it was written")
    if any(sums_by_commodity(transaction.entries).values()):
        raise BrokenLedger(f"{where} does not sum to zero")


def apply_to_position(position: Position, transaction: LedgerTransaction) -> Position:
    """Return the position after a transaction that names its symbol."""
    kind, currency = transaction.kind, transaction.currency
    units = _amount(transaction, "holdings", position.symbol)
    if kind is TransactionKind.SPLIT:
        return position.split(position.quantity + units)
    if kind in INCOME_ACCOUNTS:
        income = position.income - _amount(transaction, INCOME_ACCOUNTS[kind], currency)
        return position.model_copy(update={"income": income})
    cost = _amount(transaction, "trading", currency)
    after = position.traded(units, cost, _amount(transaction, "fees", currency))
    if kind is TransactionKind.CORRECTION:
        # What is put right was never gained.
        return after.model_copy(update={"realized_pnl": position.realized_pnl})
    return after


def _amount(transaction: LedgerTransaction, account: str, commodity: str) -> Decimal:
    """Sum of one account's entries in one commodity."""
    total = ZERO
    for entry in transaction.entries:
        if entry.account == account and entry.commodity == commodity:
            total += entry.amount
    return total
