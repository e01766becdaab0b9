"""Checks a stretch of a ledger: its chain, its links to what is around it, and its head."""

from __future__ import annotations

from collections.abc import Sequence

from trading.domain.ledger import GENESIS_HASH, BrokenLedger, LedgerTransaction, check_link
from trading.domain.portfolio import Account
from trading.domain.value import Value


class Verification(Value):
    """What was checked, and the first thing found wrong.

    ``checked`` transactions, numbered ``first`` to ``last``; ``complete`` if that is the ledger.
    """

    ok: bool
    checked: int
    first: int | None
    last: int | None
    complete: bool
    problem: str | None


def unreadable(error: BrokenLedger) -> Verification:
    """The check of a ledger whose items are no transactions any more."""
    return Verification(
        ok=False, checked=0, first=None, last=None, complete=False, problem=str(error)
    )


def verified(
    transactions: Sequence[LedgerTransaction],
    account: Account,
    older: LedgerTransaction | None = None,
    newer: LedgerTransaction | None = None,
    *,
    known_to: int | None = None,
) -> Verification:
    """Check transactions in the order of their sequence.

    ``older`` and ``newer`` are the neighbours of the stretch, None where the ledger should begin
    or end. ``account`` is as it was read before the ledger; ``known_to`` is the newest sequence by
    the account as it was read after it, beyond which nothing can have been booked.
    """
    problem = None
    try:
        _check(transactions, account, older, newer)
        _check_end(transactions, known_to)
    except BrokenLedger as error:
        problem = str(error)
    return Verification(
        ok=problem is None,
        checked=len(transactions),
        first=transactions[0].sequence if transactions else None,
        last=transactions[-1].sequence if transactions else None,
        complete=older is None and newer is None,
        problem=problem,
    )


def _check(
    transactions: Sequence[LedgerTransaction],
    account: Account,
    older: LedgerTransaction | None,
    newer: LedgerTransaction | None,
) -> None:
    """Raise BrokenLedger at the first thing wrong."""
    sequence, previous = (older.sequence, older.hash) if older else (0, GENESIS_HASH)
    for transaction in transactions:
        if transaction.portfolio_id != account.portfolio_id:
            raise BrokenLedger(f"transaction {transaction.sequence} is of another portfolio")
        check_link(transaction, sequence, previous)
        sequence, previous = transaction.sequence, transaction.hash
        if sequence == account.ledger_sequence and previous != account.ledger_hash:
            raise BrokenLedger(f"transaction {sequence} is not the one that the account carries")
    if newer is not None:
        check_link(newer, sequence, previous)
    elif sequence < account.ledger_sequence:
        raise BrokenLedger(f"the ledger ends at {sequence}, not at {account.ledger_sequence}")


def _check_end(transactions: Sequence[LedgerTransaction], known_to: int | None) -> None:
    """Raise BrokenLedger for a transaction that the account has never heard of."""
    if known_to is not None and transactions and transactions[-1].sequence > known_to:
        raise BrokenLedger(f"the account knows of no transaction after number {known_to}")
