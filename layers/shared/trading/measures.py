"""Counts and measurements for CloudWatch, in its embedded metric format: one log line each.

They cost no call: CloudWatch reads them out of the log. What a process counts is added up per
invocation and written at its end by ``flush``. Figures that must be exact for good, whatever
process dies, are kept by the transactions themselves instead (``GET <prefix>/metrics``).
"""

from __future__ import annotations

from collections import defaultdict
from contextvars import ContextVar
from typing import Final

from aws_lambda_powertools.metrics import EphemeralMetrics

NAMESPACE: Final = "Trading"

Dimensions = tuple[tuple[str, str], ...]
_pending: ContextVar[dict[Dimensions, list[tuple[str, str, float]]] | None] = ContextVar(
    "measures", default=None
)


def count(name: str, number: int = 1, **by: str) -> None:
    """Add to a counter. ``by`` are its dimensions beside the service; keep their values few."""
    measure(name, "Count", number, **by)


def measure(name: str, unit: str, value: float, **by: str) -> None:
    """Note one measurement in a unit that CloudWatch knows, such as Milliseconds or Seconds."""
    pending = _pending.get()
    if pending is None:
        pending = defaultdict(list)
        _pending.set(pending)
    pending[tuple(sorted(by.items()))].append((name, unit, value))


def begin() -> None:
    """Start an invocation with nothing counted."""
    _pending.set(defaultdict(list))


def flush() -> None:
    """Write what was counted since ``begin``, one line per set of dimensions."""
    pending = _pending.get() or {}
    for dimensions, measured in pending.items():
        metrics = EphemeralMetrics(namespace=NAMESPACE)
        for name, value in dimensions:
            metrics.add_dimension(name, value)
        for name, unit, number in measured:
            metrics.add_metric(name, unit, number)
        metrics.flush_metrics()
    pending.clear()
