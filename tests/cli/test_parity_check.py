"""The comparison of a backtest with paper finds every difference, and says which side had what."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from trading_cli.parity_check import Books, Holding, Trade, difference_of_books, first_difference

FIRST = Trade(
    datetime(2024, 5, 1, 9, tzinfo=UTC), "ACME", Decimal(10), Decimal("5.25"), Decimal("0.0525")
)
SECOND = replace(FIRST, time=FIRST.time + timedelta(hours=3), quantity=Decimal(-10))
BOOKS = Books(Decimal("999.5"), {"ACME": Holding(Decimal(3), Decimal("-0.25"), Decimal("0.105"))})


def test_equal_fills_and_books_have_no_difference() -> None:
    assert first_difference([FIRST, SECOND], [replace(FIRST), SECOND]) is None
    assert difference_of_books(BOOKS, replace(BOOKS)) is None


@pytest.mark.parametrize(
    "change",
    [
        {"time": SECOND.time + timedelta(microseconds=1)},
        {"symbol": "OTHER"},
        {"quantity": Decimal("-9.99999999")},
        {"price": Decimal("5.25000001")},
        {"fee": Decimal("0.05250001")},
    ],
)
def test_any_figure_of_any_fill_that_differs_is_found(change: dict[str, object]) -> None:
    changed = replace(SECOND, **change)  # type: ignore[arg-type]
    found = first_difference([FIRST, SECOND], [FIRST, changed])
    assert found is not None
    assert found.startswith("fill 2: ")
    assert str(SECOND) in found
    assert str(changed) in found


def test_a_fill_too_many_or_too_few_is_found() -> None:
    assert first_difference([FIRST], []) == f"fill 1: backtest {FIRST}; paper has none"
    assert first_difference([], [FIRST]) == f"fill 1: backtest has none; paper {FIRST}"


def test_swapped_fills_are_found() -> None:
    assert first_difference([FIRST, SECOND], [SECOND, FIRST]) is not None


def test_every_figure_of_the_books_counts() -> None:
    assert difference_of_books(BOOKS, replace(BOOKS, cash=Decimal("999.49"))) == (
        "cash: backtest 999.5; paper 999.49"
    )
    for name in ("quantity", "realized_pnl", "fees"):
        other = replace(BOOKS.holdings["ACME"], **{name: Decimal(7)})
        found = difference_of_books(BOOKS, replace(BOOKS, holdings={"ACME": other}))
        assert found is not None
        assert found.startswith(f"ACME, {name}: backtest ")
    assert difference_of_books(BOOKS, replace(BOOKS, holdings={})) == (
        "ACME: held by the backtest only"
    )
