"""Working a portfolio out from its ledger: it agrees with a true one and finds every lie."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from trading_cli.ledger_check import GENESIS, Balances, add_up, compare

CLOSES = {"AAPL": Decimal("12.5")}


def entry(account: str, commodity: str, amount: str) -> dict[str, str]:
    return {"account": account, "commodity": commodity, "amount": amount}


def ledger() -> list[dict[str, Any]]:
    """A deposit of 1000, 10 AAPL bought at 10, 4 sold at 12; newest first, as the API answers."""
    deposit = [entry("cash", "USD", "1000"), entry("capital", "USD", "-1000")]
    bought = [
        *(entry("holdings", "AAPL", "10"), entry("trading", "AAPL", "-10")),
        *(entry("trading", "USD", "100"), entry("cash", "USD", "-100")),
        *(entry("fees", "USD", "0.1"), entry("cash", "USD", "-0.1")),
    ]
    sold = [
        *(entry("holdings", "AAPL", "-4"), entry("trading", "AAPL", "4")),
        *(entry("trading", "USD", "-48"), entry("cash", "USD", "48")),
        *(entry("fees", "USD", "0.05"), entry("cash", "USD", "-0.05")),
    ]
    hashes = [GENESIS, "a" * 64, "b" * 64, "c" * 64]
    written = [
        {"sequence": n, "entries": entries, "previous_hash": hashes[n - 1], "hash": hashes[n]}
        for n, entries in enumerate((deposit, bought, sold), start=1)
    ]
    return written[::-1]


def portfolio() -> dict[str, Any]:
    return {
        "base_currency": "USD",
        "cash": {"USD": "947.85"},
        "equity": "1022.85",
        "capital": "1000",
        "realized_pnl": "8",
        "unrealized_pnl": "15",
        "income": "0",
        "fees": "0.15",
        "ledger_sequence": 3,
    }


def positions(quantity: str = "6") -> list[dict[str, str]]:
    return [{"symbol": "AAPL", "quantity": quantity}]


def test_a_true_portfolio_agrees_with_its_ledger() -> None:
    assert compare(add_up(ledger()), portfolio(), positions(), CLOSES) == []


def test_balances_are_sums_of_entries() -> None:
    balances = add_up(ledger())
    assert balances.of("cash") == {"USD": Decimal("947.85")}
    assert balances.of("holdings") == {"AAPL": Decimal(6)}
    assert balances.of("fees") == {"USD": Decimal("0.15")}


@pytest.mark.parametrize(
    ("figure", "value", "named"),
    [
        ("cash", {"USD": "947.86"}, "cash"),
        ("cash", {"USD": "947.85", "EUR": "1"}, "cash"),
        ("equity", "1022.86", "equity"),
        ("capital", "999", "capital"),
        ("fees", "0.14", "fees"),
        ("realized_pnl", "8.01", "P&L"),
        ("ledger_sequence", 4, "length"),
    ],
)
def test_a_figure_that_is_off_is_named(figure: str, value: Any, named: str) -> None:
    found = compare(add_up(ledger()), portfolio() | {figure: value}, positions(), CLOSES)
    assert any(problem.startswith(named) for problem in found)


def test_a_position_that_is_off_or_missing_is_named() -> None:
    for stored in (positions("7"), []):
        (problem,) = compare(add_up(ledger()), portfolio(), stored, CLOSES)
        assert problem.startswith("positions")


def unbalance(transactions: list[dict[str, Any]]) -> None:
    transactions[0]["entries"].append(entry("cash", "USD", "0.01"))


def drop_the_middle(transactions: list[dict[str, Any]]) -> None:
    del transactions[1]


def cut_the_chain(transactions: list[dict[str, Any]]) -> None:
    transactions[1]["previous_hash"] = "f" * 64


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (unbalance, "does not sum to zero"),
        (drop_the_middle, "gap"),
        (cut_the_chain, "does not follow on"),
    ],
)
def test_a_damaged_ledger_is_found(
    damage: Callable[[list[dict[str, Any]]], None], said: str
) -> None:
    transactions = ledger()
    damage(transactions)
    balances: Balances = add_up(transactions)
    assert any(said in problem for problem in balances.problems)
