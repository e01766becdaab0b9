"""Amounts are exact, rounding favours the user, ids derive from causes, times sort as text."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.builders import ACME, d
from trading.domain.errors import InvalidInput
from trading.domain.identifiers import derived_id, time_sorted_id
from trading.domain.money import (
    average,
    ceil_to_step,
    fee_amount,
    floor_to_step,
    is_multiple,
    plain,
)
from trading.domain.time import from_text, timeframe_length, to_text

AMOUNT = st.decimals(0, 10**12, places=8, allow_nan=False)
STEP = st.integers(0, 8).map(lambda n: Decimal(1).scaleb(-n))
YEARS = (datetime(1990, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001 hypothesis adds the zone
MOMENT = st.datetimes(*YEARS, timezones=st.just(UTC))


@given(AMOUNT, AMOUNT)
def test_products_of_the_largest_amounts_are_exact(a: Decimal, b: Decimal) -> None:
    shifted = int(a.scaleb(8)) * int(b.scaleb(8))
    assert int((a * b).scaleb(16)) == shifted


def test_products_are_exact_in_a_new_thread_too() -> None:
    factor, found = Decimal("999999999999.99999999"), []
    thread = threading.Thread(target=lambda: found.append(factor * factor))
    thread.start()
    thread.join()
    assert int(found[0].scaleb(16)) == int(factor.scaleb(8)) ** 2


@given(AMOUNT, STEP)
def test_quantities_round_down_to_a_whole_step(value: Decimal, step: Decimal) -> None:
    down, up = floor_to_step(value, step), ceil_to_step(value, step)
    assert down <= value <= up
    assert value - down < step
    assert up - value < step
    assert is_multiple(down, step)
    assert is_multiple(up, step)


@given(st.decimals(0, 10**6, places=16, allow_nan=False))
def test_fees_round_up(value: Decimal) -> None:
    assert value <= fee_amount(value) < value + Decimal("0.00000001")


def test_an_average_over_nothing_is_nothing() -> None:
    assert average(d(5), d(0)) == 0


@pytest.mark.parametrize(
    ("value", "text"), [("1E+2", "100"), ("-0", "0"), ("0.10", "0.1"), ("1E-8", "0.00000001")]
)
def test_amounts_are_written_plainly(value: str, text: str) -> None:
    assert plain(d(value)) == text


def test_a_limit_price_off_the_tick_names_the_field_and_a_right_one() -> None:
    with pytest.raises(InvalidInput, match=r"tick size 0.01, for example 10.12") as caught:
        ACME.check_price(d("10.125"), "limit_price")
    assert caught.value.field == "limit_price"


def test_the_same_causes_give_the_same_id_and_no_others_do() -> None:
    assert derived_id("x", "a", "bc") == derived_id("x", "a", "bc")
    assert derived_id("x", "a", "bc") != derived_id("x", "ab", "c")
    assert derived_id("x", "a") != derived_id("y", "a")


@given(MOMENT, MOMENT)
def test_texts_and_ids_sort_as_the_times_do(a: datetime, b: datetime) -> None:
    assert (to_text(a) < to_text(b)) == (a < b)
    assert from_text(to_text(a)) == a
    if int(a.timestamp() * 1000) < int(b.timestamp() * 1000):
        assert time_sorted_id("", a) < time_sorted_id("", b)


def test_an_unknown_timeframe_names_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match="1m, 5m"):
        timeframe_length("2d")
