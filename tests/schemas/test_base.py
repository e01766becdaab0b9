"""Cursors and amounts on the wire."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain.errors import InvalidInput
from trading.schemas.amount import OutAmount
from trading.schemas.base import Wire, decode_cursor, encode_cursor


class Total(Wire):
    amount: OutAmount


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1))
def test_a_cursor_gives_back_what_was_wrapped_and_fits_a_url(position: str) -> None:
    cursor = encode_cursor(position)
    assert decode_cursor(cursor) == position
    assert cursor.replace("-", "").replace("_", "").isalnum() or set(cursor) <= {"-", "_"}


@pytest.mark.parametrize(
    "cursor", ["", "=", "a", "!!", "QQ==", "QQ=", "_w", "é", "QR", "AA", "YQA", "w6k"]
)
def test_a_cursor_that_was_not_given_out_is_rejected_by_its_field(cursor: str) -> None:
    with pytest.raises(InvalidInput) as error:
        decode_cursor(cursor)
    assert error.value.field == "cursor"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("1E+3", "1000"),
        ("0.3333333333333333", "0.3333333333333333"),
        ("12345678901234567890.5", "12345678901234567890.5"),
        ("1E-16", "0.0000000000000001"),
    ],
)
def test_an_answer_shows_amounts_of_any_size_without_exponent(value: str, shown: str) -> None:
    assert Total(amount=Decimal(value)).model_dump_json() == f'{{"amount":"{shown}"}}'
