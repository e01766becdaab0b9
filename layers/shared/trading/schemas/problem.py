"""The one shape of every error: an RFC 9457 problem document."""

from __future__ import annotations

from pydantic import Field

from trading.schemas.base import Wire


class FieldError(Wire):
    """What is wrong with one field; ``field`` is its dotted path."""

    field: str
    message: str


class Problem(Wire):
    """An error. ``type`` names its kind, ``correlation_id`` finds it in the logs."""

    type: str = Field(examples=["urn:trading:problem:invalid-input"])
    title: str
    status: int
    detail: str
    errors: list[FieldError] = Field(default_factory=list)
    instance: str = Field(description="The path that was asked for.")
    correlation_id: str
