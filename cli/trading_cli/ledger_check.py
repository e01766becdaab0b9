"""Works a portfolio out from its ledger alone, and compares.

This shares no code with the platform: it adds up entries by account and commodity, so that an
error in the platform's own projection would show.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

ZERO = Decimal(0)
GENESIS = "0" * 64


@dataclass
class Balances:
    """What the entries add up to, and what is wrong with the ledger itself."""

    totals: dict[tuple[str, str], Decimal] = field(
        default_factory=lambda: defaultdict(lambda: ZERO)
    )
    transactions: int = 0
    problems: list[str] = field(default_factory=list)

    def of(self, account: str) -> dict[str, Decimal]:
        """Return an account's balances by commodity, without those that are zero."""
        return {c: amount for (a, c), amount in self.totals.items() if a == account and amount}


def add_up(ledger: Iterable[Mapping[str, Any]]) -> Balances:
    """Add up transactions as ``GET /portfolio/{pid}/ledger`` gives them, in any order.

    Each must sum to zero per commodity, follow on the one before it without a gap, and carry that
    one's hash.
    """
    balances = Balances()
    previous = GENESIS
    for transaction in sorted(ledger, key=lambda t: int(t["sequence"])):
        balances.transactions += 1
        number = int(transaction["sequence"])
        if number != balances.transactions:
            balances.problems.append(f"transaction {number} stands where there is a gap")
        if transaction["previous_hash"] != previous:
            balances.problems.append(f"transaction {number} does not follow on the one before it")
        previous = transaction["hash"]
        sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for entry in transaction["entries"]:
            amount = Decimal(entry["amount"])
            sums[entry["commodity"]] += amount
            balances.totals[entry["account"], entry["commodity"]] += amount
        if any(sums.values()):
            balances.problems.append(f"transaction {number} does not sum to zero")
    return balances


def compare(
    balances: Balances,
    portfolio: Mapping[str, Any],
    positions: Iterable[Mapping[str, Any]],
    closes: Mapping[str, Decimal] | None = None,
) -> list[str]:
    """Return what the portfolio's answers and its ledger disagree on; nothing if they agree.

    ``closes`` are the latest prices by symbol as the caller knows them, to value holdings by.
    """
    base = portfolio["base_currency"]
    held = {p["symbol"]: Decimal(p["quantity"]) for p in positions}
    cash = {c: Decimal(a) for c, a in portfolio["cash"].items()}
    derived_cash = balances.of("cash")
    capital = -balances.of("capital").get(base, ZERO)
    pairs: dict[str, tuple[object, object]] = {
        "cash": ({c: a for c, a in cash.items() if a}, derived_cash),
        "positions": ({s: q for s, q in held.items() if q}, balances.of("holdings")),
        "fees": (Decimal(portfolio["fees"]), balances.of("fees").get(base, ZERO)),
        "capital": (Decimal(portfolio["capital"]), capital),
        "length of the ledger": (int(portfolio["ledger_sequence"]), balances.transactions),
    }
    equity = Decimal(portfolio["equity"])
    gains = sum(Decimal(portfolio[name]) for name in ("realized_pnl", "unrealized_pnl", "income"))
    if not balances.of("corrections"):
        # What was corrected is neither put in by the owner nor gained.
        pairs["P&L"] = (gains - Decimal(portfolio["fees"]), equity - capital)
    if closes is not None:
        value = sum((q * closes[s] for s, q in balances.of("holdings").items()), ZERO)
        pairs["equity"] = (equity, derived_cash.get(base, ZERO) + value)
    return balances.problems + [
        f"{what}: the portfolio says {_shown(said)}, the ledger {_shown(derived)}"
        for what, (said, derived) in pairs.items()
        if said != derived
    ]


def _shown(value: object) -> str:
    """Write a value without Python's names for things."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {amount}" for name, amount in sorted(value.items())) or "nothing"
    return str(value)
