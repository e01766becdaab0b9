"""Building blocks of wire models: exact amounts, UTC times, identifiers, pages."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from trading.domain.errors import InvalidInput
from trading.domain.identifiers import PORTFOLIO_PATTERN, SYMBOL_PATTERN
from trading.domain.money import MAX_INTEGER_DIGITS, MAX_SCALE, ZERO, plain

T = TypeVar("T")

_PLAIN_NUMBER = re.compile(r"-?[0-9]{1,32}(\.[0-9]{1,32})?")
_YEARS = (1900, 2200)


class Wire(BaseModel):
    """Base of every request and response: immutable, and unknown fields are refused.

    Validators are built when they are first needed, which keeps cold starts short.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def _exact(value: Any) -> Decimal:
    """Read an amount exactly; what cannot be held exactly is refused, never rounded."""
    if isinstance(value, str):
        if not _PLAIN_NUMBER.fullmatch(value):
            raise ValueError("must be a decimal number such as 12.5")
        value = Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("must be a number, or a string holding one")  # noqa: TRY004 pydantic
    if isinstance(value, int):
        value = Decimal(value)
    if not value.is_finite():
        raise ValueError("must be finite")
    return _within_limits(value)


def _within_limits(value: Decimal) -> Decimal:
    """Refuse an amount that the tables could not keep exactly."""
    if value == 0:
        return ZERO
    if value.adjusted() >= MAX_INTEGER_DIGITS:
        raise ValueError(f"must have at most {MAX_INTEGER_DIGITS} integer digits")
    # Comparing is exact in any context, unlike normalising.
    if value.quantize(Decimal(1).scaleb(-MAX_SCALE)) != value:
        raise ValueError(f"must have at most {MAX_SCALE} decimals")
    return value


_AS_TEXT = PlainSerializer(plain, return_type=str, when_used="json")
_AMOUNT_SCHEMA = WithJsonSchema(
    {
        "anyOf": [{"type": "string", "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,8})?$"},
                  {"type": "number"}],
        "description": "An exact decimal number; answers always give a string.",
        "examples": ["12.5"],
    },
    mode="validation",
)  # fmt: skip
_TEXT_SCHEMA = WithJsonSchema(
    {"type": "string", "description": "An exact decimal number.", "examples": ["12.5"]},
    mode="serialization",
)

Amount = Annotated[Decimal, BeforeValidator(_exact), _AS_TEXT, _AMOUNT_SCHEMA, _TEXT_SCHEMA]
"""An exact amount of at most 12 integer digits and 8 decimals, from a JSON string or number."""

OutAmount = Annotated[
    Decimal,
    _AS_TEXT,
    WithJsonSchema({"type": "string", "description": "An exact decimal number.",
                    "examples": ["12.5"]}),
]  # fmt: skip
"""An amount in an answer, of any size, as a plain string."""


def _positive(value: Decimal) -> Decimal:
    if value <= 0:
        raise ValueError("must be greater than 0")
    return value


def _non_negative(value: Decimal) -> Decimal:
    if value < 0:
        raise ValueError("must not be negative")
    return value


PositiveAmount = Annotated[Amount, AfterValidator(_positive)]
"""An amount above zero."""

NonNegativeAmount = Annotated[Amount, AfterValidator(_non_negative)]
"""An amount of zero or more."""

Symbol = Annotated[str, StringConstraints(pattern=SYMBOL_PATTERN)]
"""A tradable symbol such as ``AAPL`` or ``BTC-USDT``."""

PortfolioId = Annotated[str, StringConstraints(pattern=PORTFOLIO_PATTERN)]
"""A portfolio's name: lower-case letters, digits, ``_`` and ``-``."""


def _is_number(text: str) -> bool:
    """Tell whether a text is a number to Python."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _not_a_number(value: Any) -> Any:
    """Refuse Unix timestamps: whether they are seconds or milliseconds would be a guess.

    As text too, which is how they stand in an address.
    """
    if not isinstance(value, str | datetime) or (isinstance(value, str) and _is_number(value)):
        raise ValueError("must be an ISO 8601 time with an offset, such as 2026-01-31T12:00:00Z")
    return value


def _to_utc(value: datetime) -> datetime:
    """Convert to UTC; years that no market has are refused, as their texts would not sort."""
    if not _YEARS[0] < value.year < _YEARS[1]:
        raise ValueError(f"must lie between the years {_YEARS[0]} and {_YEARS[1]}")
    return value.astimezone(UTC)


def _iso(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


UtcDatetime = Annotated[
    AwareDatetime,
    BeforeValidator(_not_a_number),
    AfterValidator(_to_utc),
    PlainSerializer(_iso, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A time with an offset, converted to UTC; answered with ``Z``."""


def json_numbers(value: Any) -> Any:
    """A JSON value with plain numbers, where exact ones were read that no rule of money needs."""
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case dict():
            return {name: json_numbers(each) for name, each in value.items()}
        case list():
            return [json_numbers(each) for each in value]
        case _:
            return value


class Page(Wire, Generic[T]):
    """One page of a list, newest first. ``cursor`` asks for the next page; null at the end."""

    items: list[T]
    cursor: str | None = Field(default=None, description="Give this to get the next page.")


def encode_cursor(position: str) -> str:
    """Wrap the position of a page's last item so that it can travel in a URL."""
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> str:
    """Unwrap a cursor. Raises InvalidInput for one that ``encode_cursor`` did not make."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        position = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise InvalidInput("cursor", "must be a cursor from an earlier answer") from error
    # Places are made of what keys are made of; the text below a control character is not a key.
    made_of_keys = position.isascii() and position.isprintable()
    if not position or not made_of_keys or encode_cursor(position) != cursor:
        raise InvalidInput("cursor", "must be a cursor from an earlier answer")
    return position
