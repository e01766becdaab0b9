"""No stored ledger transaction can be changed, left out or moved without being noticed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.domain.builders import NOW, account, d, order, price, snapshot
from trading.domain.books import Posting, post
from trading.domain.ledger import (
    BrokenLedger,
    Entry,
    LedgerTransaction,
    TransactionKind,
    cash_entries,
    correction_entries,
    rebuild,
)
from trading.domain.order import Side
from trading.domain.order_life import place


def posting(kind: TransactionKind, entries: tuple[Entry, ...], **more: Any) -> Posting:
    return Posting(
        kind=kind,
        cause="test",
        entries=entries,
        currency="USD",
        time=NOW,
        recorded_at=NOW,
        **more,
    )


@pytest.fixture
def ledger() -> list[LedgerTransaction]:
    owner = account().model_copy(update={"cash": {}})
    owner, deposit = post(owner, posting(TransactionKind.DEPOSIT, cash_entries("USD", d(1000))))
    bought = place(order(4), snapshot(owner))
    assert bought.account is not None
    assert bought.transaction is not None
    _, fix = post(
        bought.account,
        posting(
            TransactionKind.CORRECTION,
            correction_entries("USD", d(0), "ACME", d(2), d(150)),
            symbol="ACME",
        ),
    )
    return [deposit, bought.transaction, fix]


def test_it_rebuilds_to_the_cent(ledger: list[LedgerTransaction]) -> None:
    found = rebuild(ledger)
    assert found.cash == {"USD": d(1000) - d(400) - d("0.4")}
    assert found.capital == {"USD": d(1000)}
    held = found.positions["ACME"]
    assert (held.quantity, held.cost_basis, held.fees) == (d(6), d(550), d("0.4"))


CHANGES: dict[str, Any] = {
    "portfolio_id": "q",
    "kind": TransactionKind.WITHDRAWAL,
    "cause": "another",
    "time": NOW + timedelta(seconds=1),
    "recorded_at": NOW + timedelta(seconds=1),
    "entries": cash_entries("USD", d(1001)),
    "symbol": "OTHER",
    "currency": "EUR",
    "note": "x",
    "correlation_id": "y",
    "hash": "0" * 64,
    "previous_hash": "1" * 64,
    "sequence": 7,
}


def test_every_field_is_covered_by_the_changes_below() -> None:
    assert set(CHANGES) == set(LedgerTransaction.model_fields)


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_change_of_any_field_of_any_transaction_shows(
    ledger: list[LedgerTransaction], name: str, at: int
) -> None:
    ledger[at] = ledger[at].model_copy(update={name: CHANGES[name]})
    with pytest.raises(BrokenLedger):
        rebuild(ledger)


def test_a_transaction_that_was_written_long_ago_still_has_its_hash() -> None:
    written = LedgerTransaction(
        portfolio_id="main",
        sequence=2,
        kind=TransactionKind.CORRECTION,
        cause="request:k:1",
        time=NOW,
        recorded_at=NOW + timedelta(seconds=1),
        entries=correction_entries("USD", d("1.50"), "ACME", d("2.000"), d("1E+2")),
        symbol="ACME",
        currency="USD",
        note="found",
        correlation_id="c",
        previous_hash="a" * 64,
    )
    # As computed by the first version of the ledger.
    known = "2aeca83d7c0bd600fed7fe6a62f25bc7115f10953850309783295e31b9b36f6b"
    assert written.computed_hash() == known


def test_a_gap_and_a_swap_show(ledger: list[LedgerTransaction]) -> None:
    with pytest.raises(BrokenLedger, match="gap"):
        rebuild([ledger[0], ledger[2]])
    with pytest.raises(BrokenLedger):
        rebuild([ledger[1], ledger[0], ledger[2]])


def test_a_resealed_forgery_breaks_the_link_after_it(ledger: list[LedgerTransaction]) -> None:
    richer = ledger[0].model_copy(update={"entries": cash_entries("USD", d(9000))})
    with pytest.raises(BrokenLedger, match="hash of the one before"):
        rebuild([richer.sealed(), *ledger[1:]])


def test_entries_that_do_not_balance_cannot_be_posted() -> None:
    lopsided = (Entry(account="cash", commodity="USD", amount=Decimal(1)),)
    with pytest.raises(ValueError, match="do not sum to zero"):
        post(account(), posting(TransactionKind.DEPOSIT, lopsided))


def test_selling_at_average_cost_realizes_the_difference() -> None:
    first = place(order(4), snapshot(account(1000)))
    assert first.position is not None
    assert first.account is not None
    later = snapshot(first.account, first.position, price(130))
    sold = place(order(1, Side.SELL, identifier="ord_2"), later)
    assert sold.position is not None
    assert sold.position.realized_pnl == d(30)
    assert sold.position.cost_basis == d(300)
    assert sold.position.fees == d("0.4") + d("0.13")
