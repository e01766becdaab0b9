"""What watching costs: logs, metrics and (disabled) tracing per warm call, and the authorizer.

The call is ``GET /portfolio/{pid}/positions`` with 50 positions and a DynamoDB that answers at
once, as in ``warm``; beside it the same call of the same application with its outermost layer and
the wrapper around the invocation taken away, so without the correlation id, the headers, the log
line, the metrics and the span. Log lines go to a file in memory in both.

The authorizer is set beside ``bare_authorizer``, boto3 and one read without any checking: cold, as
``cold_start`` measures, and warm per decision. Its reads are counted.

    python -m benchmarks.watching [--calls 300] [--rounds 9]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any
from unittest import mock

from moto import mock_aws

from benchmarks import cold_start, warm
from benchmarks.machine import described
from tests.support.http import Context

AIM_ADDED = 0.10
Call = Callable[[], float]


def alternating(one: Call, other: Call, calls: int) -> tuple[float, float, float]:
    """Medians of both in seconds, and of the ratio, over pairs taken in turn."""
    for _ in range(20):
        one(), other()
    pairs = [(one(), other()) for _ in range(calls)]
    return (
        median(a for a, _ in pairs),
        median(b for _, b in pairs),
        median(a / b for a, b in pairs),
    )


def behind(handler: warm.Handler, *, watched: bool) -> warm.Handler:
    """The same application's handler with or without what watches it.

    Both are behind as many patches, so that these cost the same.
    """
    from trading.api import app, middleware

    async def plain(self: Any, scope: Any, receive: Any, send: Any) -> None:
        await self._app(scope, receive, send)

    @contextlib.contextmanager
    def nothing(_context: object) -> Iterator[None]:
        yield

    outermost = middleware.Observed.__call__ if watched else plain
    around = app.invocation if watched else nothing

    def call(event: dict[str, Any], context: Any) -> dict[str, Any]:
        with (
            mock.patch.object(middleware.Observed, "__call__", outermost),
            mock.patch.object(app, "invocation", around),
        ):
            return handler(event, context)

    return call


def added(calls: int) -> Iterator[str]:
    """Measure a warm call with and without what watches it, and the authorizer's decision."""
    with mock_aws():
        wire = warm.Wire()
        wire.listen()
        handler, _ = warm.prepare()
        watched, plain = behind(handler, watched=True), behind(handler, watched=False)
        warm.timed(handler)
        of_positions = dict(wire.answers)
        ours, bare, reads = authorizers(wire)
        of_keys, wire.answers = wire.answers, of_positions
    with wire.replayed():
        with_it, without, ratio = alternating(
            lambda: warm.timed(watched), lambda: warm.timed(plain), calls
        )
        yield f"{'GET positions':28} {with_it * 1e6:9.0f} {without * 1e6:9.0f} {ratio:6.3f}"
        if ratio - 1 > AIM_ADDED:
            yield "  above the aim"
        wire.answers = of_keys
        decision, by_hand, ratio = alternating(ours, bare, calls)
        row = f"{decision * 1e6:9.0f} {by_hand * 1e6:9.0f} {ratio:6.3f}"
        yield f"{'authorizer, one decision':28} {row}"
        yield f"calls of one decision: {', '.join(reads)}"


def authorizers(wire: warm.Wire) -> tuple[Call, Call, list[str]]:
    """Make a key; return a decision by ours, one by the bare authorizer, and what ours calls."""
    from datetime import UTC, datetime

    from authorizer import handler
    from benchmarks import bare_authorizer
    from trading import bootstrap
    from trading.auth.issue import issue

    record, text = issue("benchmark", ["market:read"], datetime.now(UTC))
    bootstrap.api_keys().add(record)
    event = {
        "type": "REQUEST",
        "methodArn": "arn:aws:execute-api:us-east-1:123456789012:api/dev/GET/orders",
        "headers": {"X-TRADING-API-KEY": text},
        "requestContext": {"identity": {"sourceIp": "203.0.113.7"}},
    }

    def deciding(authorize: Callable[[Any, Any], Any]) -> Call:
        def call() -> float:
            start = time.perf_counter()
            authorize(event, Context())
            return time.perf_counter() - start

        return call

    ours, bare = deciding(handler.authorize), deciding(bare_authorizer.authorize)
    ours()  # notes that the key is used, which it does once an hour
    calls = [name for name, _ in wire.calls_of(ours)]
    bare()
    return ours, bare, calls


def cold(rounds: int) -> Iterator[str]:
    """Measure the authorizer's import beside that of the bare one."""
    row = cold_start.compared(
        "import authorizer.handler", "import benchmarks.bare_authorizer", rounds
    )
    yield (
        f"{'authorizer, cold import, ms':28} {row.ours.wall * 1e3:9.0f} {row.bare.wall * 1e3:9.0f}"
        f" {row.wall_ratio:6.3f} (CPU {row.cpu_ratio:.3f}), medians of {rounds} pairs"
    )


def main() -> None:
    """Print the report. The handlers' log lines are written too, but to memory."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--calls", type=int, default=300, help="pairs of warm calls")
    parser.add_argument("--rounds", type=int, default=9, help="pairs of cold imports")
    given = parser.parse_args()
    os.environ.pop("OTEL_EXPORTER_OTLP_ENDPOINT", None)
    lines = [f"What watching costs. {described()}. Medians of {given.calls} pairs, microseconds."]
    lines.append(f"{'':28} {'with':>9} {'without':>9} {'ratio':>6}")
    with contextlib.redirect_stdout(io.StringIO()):
        lines += added(given.calls)
    lines += cold(given.rounds)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
