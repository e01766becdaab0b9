"""The base of every domain object that holds data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict

# What a frozen model is filled through.
_set = object.__setattr__


class Value(BaseModel):
    """Immutable data, validated when it is made.

    Its validator is built when it is first needed: a function imports many of these and uses few,
    and building them all is a good part of a cold start.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    # Per class, made when first needed: every field with its default, and the fields without one.
    __blank: ClassVar[dict[type[Value], tuple[dict[str, Any], frozenset[str]]]] = {}

    @classmethod
    def trusted(cls, **fields: Any) -> Self:
        """Make one of values that the domain itself has made, which need no validation.

        Only for such values: nothing is checked or converted but that no field is missing.
        Raises TypeError where one is.
        """
        known = cls.__blank.get(cls)
        if known is None:
            known = cls.__blank[cls] = _blank(cls)
        blank, required = known
        if not fields.keys() >= required:
            raise TypeError(f"{cls.__name__} lacks {', '.join(sorted(required - fields.keys()))}")
        made = cls.__new__(cls)
        _set(made, "__dict__", {**blank, **fields})
        _set(made, "__pydantic_fields_set__", set(fields))
        _set(made, "__pydantic_extra__", None)
        _set(made, "__pydantic_private__", None)
        return made

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with some fields replaced, which are trusted to be valid.

        As pydantic's, without the parts that these models have no use for (extra and private
        attributes): a decision makes a dozen copies, which were a good part of its time.
        """
        if deep or self.__pydantic_private__ is not None or self.__pydantic_extra__ is not None:
            return super().model_copy(update=update, deep=deep)
        made = self.__class__.__new__(self.__class__)
        _set(made, "__dict__", {**self.__dict__, **(update or {})})
        named = self.__pydantic_fields_set__
        if update and not named.issuperset(update):
            named = named.union(update)
        _set(made, "__pydantic_fields_set__", named)
        _set(made, "__pydantic_extra__", None)
        _set(made, "__pydantic_private__", None)
        return made


def _blank(model: type[BaseModel]) -> tuple[dict[str, Any], frozenset[str]]:
    """Every field of a model with its default, in order, and the names of those without one.

    A default that is made anew for each object cannot be shared: such fields must be given.
    """
    fields = model.model_fields
    shared = {name for name, f in fields.items() if f.default_factory is None}
    required = {name for name, f in fields.items() if f.is_required()} | (fields.keys() - shared)
    return {name: f.default for name, f in fields.items()}, frozenset(required)
