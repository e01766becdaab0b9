"""Spans by OpenTelemetry's SDK, sent by OTLP over HTTP; imported only where that is configured."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from trading.tracing import Kind

EXPORT_SECONDS = 2
"""How long one invocation waits for a collector that does not answer."""

Attributes = Mapping[str, str | int | float | bool | None]
_KINDS = {kind.name.lower(): kind for kind in SpanKind}
_w3c = TraceContextTextMapPropagator()


class _Span:
    """A span as ``trading.tracing`` hands it out."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def note(self, **attributes: str | int | float | bool | None) -> None:
        """Add attributes."""
        self._span.set_attributes(_named(attributes))

    def rename(self, name: str) -> None:
        """Give it another name."""
        self._span.update_name(name)

    def failed(self, why: str) -> None:
        """Mark it as failed."""
        self._span.set_status(Status(StatusCode.ERROR, why))


class Tracing:
    """A provider of its own (no global one), with a span for every call to AWS."""

    def __init__(self) -> None:
        resource = Resource.create(
            {
                "service.name": os.environ.get("POWERTOOLS_SERVICE_NAME", "trading"),
                "service.namespace": "trading",
                "deployment.environment.name": os.environ.get("STAGE", ""),
                "faas.name": os.environ.get("AWS_LAMBDA_FUNCTION_NAME", ""),
            }
        )
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(timeout=EXPORT_SECONDS))
        )
        self._tracer = self._provider.get_tracer("trading")
        self._instrumentor = BotocoreInstrumentor()  # type: ignore[no-untyped-call]  # theirs
        self._instrumentor.instrument(tracer_provider=self._provider)

    @contextmanager
    def span(
        self, name: str, kind: Kind, carrier: Mapping[str, str] | None, attributes: Attributes
    ) -> Iterator[_Span]:
        """A span around a block; see ``trading.tracing.span``."""
        parent = None if carrier is None else _w3c.extract(carrier, Context())
        with self._tracer.start_as_current_span(
            name, parent, _KINDS[kind], attributes=_named(attributes)
        ) as span:
            yield _Span(span)

    def inject(self, carrier: MutableMapping[str, str]) -> None:
        """Put the present span's context into a carrier."""
        _w3c.inject(carrier)

    def trace_id(self) -> str | None:
        """The present trace's id."""
        context = trace.get_current_span().get_span_context()
        return trace.format_trace_id(context.trace_id) if context.is_valid else None

    def close(self) -> None:
        """Send what is left, and take the spans off the calls to AWS."""
        self._provider.shutdown()
        self._instrumentor.uninstrument()

    def flush(self) -> None:
        """Send what has ended."""
        self._provider.force_flush(EXPORT_SECONDS * 1000)


def _named(attributes: Attributes) -> dict[str, str | int | float | bool]:
    """Attributes under their names with dots, without those that are None."""
    return {k.replace("__", "."): v for k, v in attributes.items() if v is not None}
