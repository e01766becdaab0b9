"""The base of every domain object that holds data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

# What a frozen model is filled through.
_set = object.__setattr__


class Value(BaseModel):
    """Immutable data, validated when it is made.

    Its validator is built when it is first needed: a function imports many of these and uses few,
    and building them all is a good part of a cold start.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with some fields replaced, which are trusted to be valid.

        As pydantic's, without the parts that these models have no use for (extra and private
        attributes): a decision makes a dozen copies, which were a good part of its time.
        """
        if deep or self.__pydantic_private__ is not None or self.__pydantic_extra__ is not None:
            return super().model_copy(update=update, deep=deep)
        made = self.__class__.__new__(self.__class__)
        _set(made, "__dict__", {**self.__dict__, **(update or {})})
        _set(made, "__pydantic_fields_set__", self.__pydantic_fields_set__.union(update or ()))
        _set(made, "__pydantic_extra__", None)
        _set(made, "__pydantic_private__", None)
        return made
