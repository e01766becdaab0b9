"""What a risk rule answers: the measured value, the limit, the outcome, a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from trading.domain.money import plain

_STORED = core_schema.typed_dict_schema(
    {
        "rule": core_schema.typed_dict_field(core_schema.str_schema()),
        "passed": core_schema.typed_dict_field(core_schema.bool_schema()),
        "value": core_schema.typed_dict_field(
            core_schema.nullable_schema(core_schema.decimal_schema()), required=False
        ),
        "limit": core_schema.typed_dict_field(
            core_schema.nullable_schema(core_schema.decimal_schema()), required=False
        ),
        "message": core_schema.typed_dict_field(core_schema.str_schema()),
    }
)


class RuleResult(NamedTuple):
    """One rule's verdict: the measured value, the limit (None: not limited), and a sentence.

    The sentence is put together when it is asked for: ``wording`` with ``value``, ``limit`` and
    the ``facts`` in its places ``{0}``, ``{1}``, ``{2}`` and so on. Without facts the wording is
    the sentence.
    """

    rule: str
    passed: bool
    value: Decimal | None
    limit: Decimal | None
    wording: str
    facts: tuple[Decimal | str, ...] | None = None

    @property
    def message(self) -> str:
        """The sentence."""
        if self.facts is None:
            return self.wording
        return self.wording.format(*map(_text, (self.value, self.limit, *self.facts)))

    def as_dict(self) -> dict[str, Any]:
        """The result as it is stored and sent."""
        return {
            "rule": self.rule,
            "passed": self.passed,
            "value": self.value,
            "limit": self.limit,
            "message": self.message,
        }

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: Any, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Let models hold results as they are made, and read them back as they are stored."""
        read = core_schema.no_info_after_validator_function(_from_dict, _STORED)
        return core_schema.union_schema(
            [core_schema.is_instance_schema(cls), read],
            mode="left_to_right",
            serialization=core_schema.plain_serializer_function_ser_schema(RuleResult.as_dict),
        )


def _from_dict(stored: Mapping[str, Any]) -> RuleResult:
    """A result as it was stored, its sentence as it was then."""
    return RuleResult(
        stored["rule"],
        stored["passed"],
        stored.get("value"),
        stored.get("limit"),
        stored["message"],
    )


def _text(value: Decimal | str | None) -> str:
    return plain(value) if isinstance(value, Decimal) else str(value)
