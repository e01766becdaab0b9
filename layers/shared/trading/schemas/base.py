"""Building blocks of wire models: UTC times, identifiers, pages."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
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
    model_validator,
)

from trading.domain.errors import InvalidInput
from trading.domain.identifiers import PORTFOLIO_PATTERN, SYMBOL_PATTERN

T = TypeVar("T")

_YEARS = (1900, 2200)


class Wire(BaseModel):
    """Base of every request and response: immutable, and unknown fields are refused.

    Validators are built when they are first needed, which keeps cold starts short.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _is_object(cls, value: Any) -> Any:
        """Refuse what is no JSON object.

        The framework lets pydantic read attributes of any object, and an exact number is one: it
        would pass for a model whose fields all have defaults.
        """
        if not isinstance(value, dict | cls):
            raise ValueError("must be a JSON object")  # noqa: TRY004 pydantic
        return value


Symbol = Annotated[str, StringConstraints(pattern=SYMBOL_PATTERN)]
"""A tradable symbol such as ``AAPL`` or ``BTC-USDT``."""

PortfolioId = Annotated[str, StringConstraints(pattern=PORTFOLIO_PATTERN)]
"""A portfolio's name: lower-case letters, digits, ``_`` and ``-``."""


Whole = Annotated[int, Field(strict=True)]
"""A whole number from JSON: neither a truth value nor a text is one."""

Flag = Annotated[bool, Field(strict=True)]
"""``true`` or ``false``: no text or number that could mean either."""


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
    WithJsonSchema(
        {
            "type": "string",
            "format": "date-time",
            "description": f"With an offset, and between the years {_YEARS[0]} and {_YEARS[1]}.",
        }
    ),
]
"""A time with an offset, converted to UTC; answered with ``Z``."""


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
