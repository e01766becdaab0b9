"""Entry points of the signals service: HTTPS and the strategies' schedule."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from signals.routes import router
from trading import bootstrap, checks
from trading.api.app import MetricFamily, create_app, lambda_entry
from trading.desk import desk
from trading.settings import settings
from trading.telemetry import begin_scheduled, correlation_id, logger
from trading.usecases.generate_signals import StrategyChoice, generate_signals
from trading.usecases.watch_list import symbols_to_watch


def _metrics() -> Iterable[MetricFamily]:
    """Signals ever made, by source and strategy."""
    family = MetricFamily("trading_signals_total", "Signals by source and strategy.", "counter")
    for (source, strategy), count in desk().signals.counts().items():
        family.add(count, source=source, strategy=strategy)
    return [family]


app = create_app(
    "signals",
    "Signals",
    router,
    prefix="/signals",
    checks={
        "signals_table": checks.table(lambda: settings().signals_table),
        "market_table": checks.table(lambda: settings().market_table),
    },
    metrics=_metrics,
)
api = lambda_entry(app)


def on_schedule(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run strategies on the newest closed candles.

    Event: ``{"symbols": ["AAPL"], "timeframe": "1d", "strategies": ["ma_cross"]}``, a strategy
    also as ``{"name": …, "parameters": {…}}``; what is left out is as configured. A strategy that
    does not pass the check (``trading strategy check``) is named and does not run. Answers how many
    signals were created and unchanged, and errors by strategy.
    """
    begin_scheduled(event, context)
    choices = [
        StrategyChoice(c) if isinstance(c, str) else StrategyChoice(**c)
        for c in event.get("strategies") or settings().strategies
    ]
    result = generate_signals(
        desk().market,
        desk().signals,
        symbols_to_watch(event.get("symbols"), settings().watch_list, desk().market),
        event.get("timeframe") or settings().timeframe,
        choices,
        bootstrap.wall_clock(),
        correlation_id(),
        unattended=True,
    )
    logger.info("signals generated", extra={"result": asdict(result)})
    return asdict(result)
