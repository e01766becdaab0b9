"""The document says of amounts what is accepted."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from trading.schemas.amount import Amount, NonNegativeAmount, PositiveAmount, Within
from trading.schemas.base import Wire


class Terms(Wire):
    anything: Amount = Decimal(0)
    positive: PositiveAmount = Decimal(1)
    zero_or_more: NonNegativeAmount | None = None
    fraction: Annotated[NonNegativeAmount, Within(le=1)] = Decimal(0)
    narrow: Annotated[PositiveAmount, Within(gt=Decimal("0.5"), lt=1)] = Decimal("0.9")
    score: Annotated[Amount, Within(ge=-1, le=1)] | None = None


SCHEMA = Terms.model_json_schema()
STATED = Draft202012Validator(SCHEMA)
FIELDS = sorted(Terms.model_fields)


def accepted(field: str, value: Any) -> bool:
    try:
        Terms(**{field: value})
    except ValidationError:
        return False
    return True


# A validator reads numbers as floats, and these are exact as such.
@given(st.sampled_from(FIELDS), st.integers(-300, 300).map(lambda n: Decimal(n) / 256))
def test_numbers_are_accepted_just_where_the_document_says_so(field: str, value: Decimal) -> None:
    assert STATED.is_valid({field: float(value)}) == accepted(field, value)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    "value", ["-1", "-0.5", "0", "0.00000001", "0.5", "0.50000001", "1", "1.00000001", "-1.1"]
)
def test_bounds_hold_to_the_last_digit(field: str, value: str) -> None:
    number = Decimal(value)
    assert accepted(field, value) == accepted(field, number)
    assert (
        accepted(field, value)
        == {
            "anything": True,
            "positive": number > 0,
            "zero_or_more": number >= 0,
            "fraction": 0 <= number <= 1,
            "narrow": Decimal("0.5") < number < 1,
            "score": -1 <= number <= 1,
        }[field]
    )


@given(st.sampled_from(FIELDS), st.from_regex(r"-?[0-9]{1,14}(\.[0-9]{1,10})?", fullmatch=True))
def test_no_text_is_accepted_that_the_document_refuses(field: str, text: str) -> None:
    # Zeros in front and behind change no value, and so are let through beyond the pattern's length;
    # so is the sign of zero.
    whole, _, part = text.lstrip("-").partition(".")
    assume(len(whole) <= 12 and len(part) <= 8)
    assume(not (text.startswith("-") and Decimal(text) == 0))
    if accepted(field, text):
        assert STATED.is_valid({field: text})


@pytest.mark.parametrize("value", [10**12, -(10**12)])
def test_what_has_too_many_digits_is_refused_and_said_to_be(value: int) -> None:
    assert not accepted("anything", value)
    assert not STATED.is_valid({"anything": value})


def test_the_bounds_are_told_in_words_too() -> None:
    said = SCHEMA["properties"]["narrow"]["description"]
    assert "Must be greater than 0.5 and less than 1." in said
