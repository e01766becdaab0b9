"""Exact amounts on the wire: what is read, how it is written, and how the document tells of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

from trading.domain.money import MAX_INTEGER_DIGITS, MAX_SCALE, ZERO, plain

_PLAIN_NUMBER = re.compile(r"-?[0-9]{1,32}(\.[0-9]{1,32})?")


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
_TOO_MUCH = 10**MAX_INTEGER_DIGITS
_AMOUNT_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            {"type": "string",
             "pattern": rf"^-?[0-9]{{1,{MAX_INTEGER_DIGITS}}}(\.[0-9]{{1,{MAX_SCALE}}})?$"},
            {"type": "number", "exclusiveMinimum": -_TOO_MUCH, "exclusiveMaximum": _TOO_MUCH},
        ],
        "description": f"An exact decimal number of at most {MAX_INTEGER_DIGITS} integer digits and"
                       f" {MAX_SCALE} decimals; answers always give a string.",
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


@dataclass(frozen=True, kw_only=True)
class Within:
    """Bounds of an amount, checked and stated: ``Annotated[Amount, Within(gt=0, le=1)]``.

    pydantic's own bounds would not reach the document, as it does not know what an amount is. The
    document tells them of numbers; of texts it can tell the sign, and the rest in words.
    """

    gt: Decimal | int | None = None
    ge: Decimal | int | None = None
    lt: Decimal | int | None = None
    le: Decimal | int | None = None

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Check the bounds after what stands before them."""
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Add the bounds to those that are stated already."""
        stated = handler(schema)
        if "anyOf" not in stated:
            return stated  # an answer
        text, number = stated["anyOf"]
        number = {**number, **self._keywords()}
        for keyword in set(self._keywords()) & {"minimum", "maximum"}:
            number.pop(f"exclusive{keyword.capitalize()}", None)
        if any(bound is not None and bound >= 0 for bound in (self.gt, self.ge)):
            text = {**text, "pattern": text["pattern"].replace("^-?", "^")}
        words = " and ".join(f"{_WORDS[name]} {bound}" for name, bound in self._given())
        return {
            **stated,
            "anyOf": [text, number],
            "description": f"{stated['description']} Must be {words}.",
        }

    def _given(self) -> list[tuple[str, Decimal | int]]:
        return [(name, bound) for name in _KEYWORDS if (bound := getattr(self, name)) is not None]

    def _keywords(self) -> dict[str, float | int]:
        return {_KEYWORDS[name]: json_numbers(Decimal(bound)) for name, bound in self._given()}

    def _checked(self, value: Decimal) -> Decimal:
        if self.gt is not None and not value > self.gt:
            raise PydanticKnownError("greater_than", {"gt": self.gt})
        if self.ge is not None and not value >= self.ge:
            raise PydanticKnownError("greater_than_equal", {"ge": self.ge})
        if self.lt is not None and not value < self.lt:
            raise PydanticKnownError("less_than", {"lt": self.lt})
        if self.le is not None and not value <= self.le:
            raise PydanticKnownError("less_than_equal", {"le": self.le})
        return value


_KEYWORDS = {"gt": "exclusiveMinimum", "ge": "minimum", "lt": "exclusiveMaximum", "le": "maximum"}
_WORDS = {"gt": "greater than", "ge": "at least", "lt": "less than", "le": "at most"}

PositiveAmount = Annotated[Amount, Within(gt=0)]
"""An amount above zero."""

NonNegativeAmount = Annotated[Amount, Within(ge=0)]
"""An amount of zero or more."""
