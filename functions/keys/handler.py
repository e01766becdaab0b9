"""Entry point of the keys service."""

from __future__ import annotations

from collections.abc import Iterator

from keys.routes import router
from trading import bootstrap
from trading.api.app import MetricFamily, create_app, lambda_entry, table_check


def _metrics() -> Iterator[MetricFamily]:
    """Give the one figure that needs no reading of all keys."""
    yield MetricFamily("trading_keys_up", "1 while the table of keys answers").add(
        int(bootstrap.api_keys().reachable())
    )


app = create_app(
    "keys",
    "API keys",
    router,
    prefix="/keys",
    checks={"keys_table": table_check(lambda: bootstrap.api_keys().reachable())},
    metrics=_metrics,
    trail=bootstrap.audit_trail,
)
api = lambda_entry(app)
