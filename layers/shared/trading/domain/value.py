"""The base of every domain object that holds data."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """Immutable data, validated when it is made.

    Its validator is built when it is first needed: a function imports many of these and uses few,
    and building them all is a good part of a cold start.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)
