"""Domain object <-> DynamoDB item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar

from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer
from pydantic import BaseModel

from trading.adapters.dynamodb.verdicts import pack, unpack
from trading.domain.risk.result import RuleResult
from trading.domain.time import to_text

Item = dict[str, Any]
M = TypeVar("M", bound=BaseModel)

_serializer = TypeSerializer()
_deserializer = TypeDeserializer()


def encode(model: BaseModel) -> Item:
    """Return a model's stored form: amounts as numbers, times as sortable text.

    A None is left out where None is what the field reads as when it is missing.
    """
    fields = type(model).model_fields
    packed = {name: pack(results) for name, results in _verdicts(model)}
    values = to_stored(model.model_dump(mode="python", exclude=set(packed))) | packed
    return {k: v for k, v in values.items() if v is not None or fields[k].default is not None}


def _verdicts(model: BaseModel) -> Iterator[tuple[str, list[RuleResult]]]:
    """The fields of a model that hold a verdict, by name."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, list) and value and isinstance(value[0], RuleResult):
            yield name, value


def decode(model: type[M], item: Mapping[str, Any]) -> M:
    """Read a model back from its stored form; keys and index attributes are ignored."""
    return model.model_validate({name: _unpacked(value) for name, value in item.items()})


def _unpacked(value: Any) -> Any:
    """A value as models read it: a verdict as its results."""
    if not isinstance(value, Binary):
        return value
    return unpack(value.value)  # type: ignore[attr-defined]  # the stubs lack it


def to_attributes(item: Mapping[str, Any]) -> dict[str, Any]:
    """Write an item in DynamoDB's typed wire form."""
    return {name: _serializer.serialize(value) for name, value in item.items()}


def from_attributes(attributes: Mapping[str, Any]) -> Item:
    """Read DynamoDB's typed wire form."""
    return {name: _deserializer.deserialize(value) for name, value in attributes.items()}


def to_stored(value: Any) -> Any:
    """A value as the table holds it: what the serializer does not know as what it does."""
    match value:
        case datetime():
            return to_text(value)
        case date():
            return value.isoformat()
        case Enum():
            return value.value
        case Decimal():
            return value.normalize()
        case Mapping():
            return {str(k): to_stored(v) for k, v in value.items()}
        case list() | tuple():
            return [to_stored(v) for v in value]
        case float():
            # Plug-in parameters may be floats; the shortest text that reads back is exact enough.
            return Decimal(repr(value))
        case _:
            return value
