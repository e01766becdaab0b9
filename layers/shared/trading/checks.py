"""Health checks of what services have in common."""

from __future__ import annotations

from collections.abc import Callable

from trading import bootstrap
from trading.adapters.sqs.execution_queue import queue_depth
from trading.api.health import CheckResult, table_check
from trading.settings import settings


def table(name: Callable[[], str]) -> Callable[[], CheckResult]:
    """Check that a table answers; its ``name`` is asked for when the check runs."""
    return table_check(lambda: bootstrap.store().reachable(name()))


def execution_queue() -> CheckResult:
    """Check that the execution queue answers, and tell how many messages wait."""
    depth = queue_depth(bootstrap.queue_client(), settings().execution_queue_url)
    return CheckResult(True, f"{depth['waiting']} messages wait")
