"""What owed cash and units cost a day."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal

from trading.domain.books import BookChange, Posting, post
from trading.domain.ledger import TransactionKind, income_entries
from trading.domain.money import ZERO, fee_amount
from trading.domain.portfolio import Portfolio

DAYS_A_YEAR = 365


def owed(portfolio: Portfolio) -> dict[str, Decimal]:
    """What is borrowed, by currency: cash below zero, and shorts at what buying them costs."""
    amounts: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for currency, cash in portfolio.account.cash.items():
        amounts[currency] += max(ZERO, -cash)
    for position in portfolio.positions.values():
        amounts[position.currency] += max(ZERO, -portfolio.value_of(position))
    return {currency: amount for currency, amount in sorted(amounts.items()) if amount}


def accrued(portfolio: Portfolio, now: datetime, recorded_at: datetime) -> BookChange | None:
    """One day's borrow cost on what is owed at ``now``, None if there is none.

    The cause is the UTC day, so that a day is charged once. A day costs the yearly
    ``borrow_rate`` over 365 (the convention 'actual/365 fixed'), rounded up.
    """
    account = portfolio.account
    entries = [
        entry
        for currency, amount in owed(portfolio).items()
        for entry in income_entries(
            TransactionKind.BORROW_COST,
            currency,
            -fee_amount(amount * account.borrow_rate / DAYS_A_YEAR),
        )
    ]
    if not entries:
        return None
    day = now.date().isoformat()
    posting = Posting(
        kind=TransactionKind.BORROW_COST,
        cause=f"borrow:{day}",
        entries=tuple(entries),
        currency=account.base_currency,
        note=f"interest of {day}",
        time=now,
        recorded_at=recorded_at,
        correlation_id=f"borrow:{day}",
    )
    after, transaction = post(account, posting)
    return BookChange.trusted(
        before=account, account=after, transaction=transaction, marker=posting.cause
    )
