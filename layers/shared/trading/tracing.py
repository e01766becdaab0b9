"""Traces by OpenTelemetry where an OTLP endpoint is configured; otherwise no import and no work.

The endpoint is read from ``OTEL_EXPORTER_OTLP_ENDPOINT``, and further settings from the other
standard variables. Everything that imports its SDK is in ``opentelemetry_spans.py``.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, MutableMapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from trading.opentelemetry_spans import Tracing

Kind = Literal["internal", "server", "client", "producer", "consumer"]
HEADERS = ("traceparent", "tracestate")
"""What carries a trace from process to process, by the W3C's recommendation on trace context."""


class Noted(Protocol):
    """A span that can be told more."""

    def note(self, **attributes: str | int | float | bool | None) -> None:
        """Add attributes; ``__`` in a name stands for a dot, and None is left out."""
        ...

    def rename(self, name: str) -> None:
        """Give it the name that was not known when it began."""
        ...

    def failed(self, why: str) -> None:
        """Mark it as failed."""
        ...


class _Off:
    """The span of a process that traces nothing."""

    def note(self, **attributes: str | float | bool | None) -> None:
        """Do nothing."""

    def rename(self, name: str) -> None:
        """Do nothing."""

    def failed(self, why: str) -> None:
        """Do nothing."""


_OFF: AbstractContextManager[Noted] = nullcontext(_Off())


@functools.cache
def _tracing() -> Tracing | None:
    """The tracing of this process, if it is configured."""
    names = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    if not any(os.environ.get(name) for name in names):
        return None
    from trading.opentelemetry_spans import Tracing

    return Tracing()


def span(
    name: str,
    kind: Kind = "internal",
    carrier: Mapping[str, str] | None = None,
    **attributes: str | int | float | bool | None,
) -> AbstractContextManager[Noted]:
    """A span around a ``with`` block, below the present one.

    With a ``carrier`` (which may be empty) it continues the trace whose context is in there, or
    begins a new one. An exception that leaves the block marks it as failed.
    """
    tracing = _tracing()
    return _OFF if tracing is None else tracing.span(name, kind, carrier, attributes)


def inject(carrier: MutableMapping[str, str]) -> None:
    """Put the present span's context into a carrier; nothing where nothing is traced."""
    tracing = _tracing()
    if tracing is not None:
        tracing.inject(carrier)


def trace_id() -> str | None:
    """The present trace's id, 32 hexadecimal digits; None where nothing is traced."""
    tracing = _tracing()
    return None if tracing is None else tracing.trace_id()


def close() -> None:
    """Send what is left and trace no more, until the settings are looked at again."""
    tracing = _tracing()
    _tracing.cache_clear()
    if tracing is not None:
        tracing.close()


def flush() -> None:
    """Send the spans that have ended: Lambda stops the process between invocations."""
    tracing = _tracing()
    if tracing is not None:
        tracing.flush()
