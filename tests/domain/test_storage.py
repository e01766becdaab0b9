"""What the domain lets through fits the 38 digits that the tables keep."""

from __future__ import annotations

import decimal
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.builders import NOW, account, d, order, position, price, snapshot
from trading.domain.books import BookChange
from trading.domain.equity import take_snapshot
from trading.domain.errors import InvalidInput
from trading.domain.ledger import correction_entries
from trading.domain.money import MAX_INTEGER_DIGITS, MAX_NOTIONAL, MAX_SCALE, storable
from trading.domain.order_life import place

TABLE = decimal.Context(prec=38, traps=[decimal.Inexact, decimal.Rounded])
LARGEST = Decimal(10) ** MAX_INTEGER_DIGITS - Decimal(1).scaleb(-MAX_SCALE)
AMOUNT = st.integers(1, 10**20 - 1).map(lambda n: Decimal(n).scaleb(-MAX_SCALE))


def stored(value: Decimal) -> Decimal:
    """The value as a table keeps it. Raises Inexact where it would not be the same."""
    return TABLE.create_decimal(value)


def amounts(change: BookChange) -> list[Decimal]:
    """Every amount in a change."""
    found: list[Decimal] = []

    def collect(value: object) -> None:
        if isinstance(value, Decimal):
            found.append(value)
        elif isinstance(value, dict):
            for item in value.values():
                collect(item)
        elif isinstance(value, list | tuple):
            for item in value:
                collect(item)

    collect(change.model_dump())
    return found


@given(AMOUNT, AMOUNT)
def test_every_amount_of_an_order_below_the_bound_can_be_stored(
    quantity: Decimal, mark: Decimal
) -> None:
    quantity = quantity if quantity * mark < MAX_NOTIONAL else MAX_NOTIONAL // mark
    if not quantity:
        return
    owner = account(str(2 * MAX_NOTIONAL), "0.00123457")
    change = place(order(str(quantity)), snapshot(owner, mark=price(str(mark))), None)
    assert [stored(amount) for amount in amounts(change)] == amounts(change)


def test_the_bound_is_needed_because_the_largest_product_cannot_be_stored() -> None:
    with pytest.raises(decimal.Inexact):
        stored(LARGEST * LARGEST)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_correction_that_is_worth_too_much_to_store_is_refused(sign: int) -> None:
    quantity, largest = sign * d(5), MAX_NOTIONAL - Decimal(1).scaleb(-MAX_SCALE)
    assert correction_entries("USD", d(0), "ACME", quantity, sign * largest)
    with pytest.raises(InvalidInput, match="worth 1000000000000000000 or more") as caught:
        correction_entries("USD", d(0), "ACME", quantity, sign * MAX_NOTIONAL)
    assert caught.value.field == "quantity"


def test_equity_can_be_recorded_whatever_the_price_becomes() -> None:
    held = position(str(LARGEST), 1)
    found = take_snapshot(snapshot(held=held, mark=price(str(LARGEST))).portfolio, NOW)
    assert stored(found.equity) == found.equity
    assert stored(found.holdings_value) == found.holdings_value
    assert abs(found.holdings_value - LARGEST * LARGEST) < Decimal("1e-13")


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=16, min_value=-(10**21), max_value=10**21
    )
)
def test_what_fits_is_recorded_exactly(value: Decimal) -> None:
    assert storable(value) == value
