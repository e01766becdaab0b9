"""Entry points of the signals service: HTTPS and the strategies' schedule."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from signals.routes import router
from trading import bootstrap, checks
from trading.api.app import MetricFamily, create_app, lambda_entry
from trading.desk import desk
from trading.settings import settings
from trading.telemetry import correlation_id, logger, observed
from trading.usecases.generate_signals import StrategyChoice, generate_signals
from trading.usecases.schedule_strategies import still_passed
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
    trail=bootstrap.audit_trail,
)
api = lambda_entry(app)


@observed
def on_schedule(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run strategies on the newest closed candles: those that were scheduled, if any were.

    Event: ``{"symbols": ["AAPL"], "timeframe": "1d", "strategies": ["ma_cross"]}``, a strategy
    also as ``{"name": …, "parameters": {…}}``; what is left out is as configured. A strategy that
    does not pass the check (``trading strategy check``) is named and does not run. Answers how many
    signals were created and unchanged, and errors by strategy.
    """
    plan = _planned(event)
    result = generate_signals(
        desk().market,
        desk().signals,
        symbols_to_watch(plan.symbols, settings().watch_list, desk().market),
        plan.timeframe,
        plan.choices,
        bootstrap.wall_clock(),
        correlation_id(),
        unattended=True,
    )
    result.errors.update(plan.errors)
    logger.info("signals generated", extra={"result": asdict(result)})
    return asdict(result)


@dataclass(frozen=True)
class _Plan:
    """What one turn of the schedule runs, and what it passes over."""

    choices: list[StrategyChoice]
    symbols: list[str] | None
    timeframe: str
    errors: dict[str, str]


def _planned(event: dict[str, Any]) -> _Plan:
    """What the event says, or else the schedule that was set, or else the configuration."""
    given = event.get("strategies")
    stored = None if given else desk().schedules.schedule()
    symbols, timeframe = event.get("symbols"), event.get("timeframe")
    if stored is not None:
        ready, errors = still_passed(desk().schedules, stored)
        choices = [StrategyChoice(each.name, each.parameters) for each in ready]
        return _Plan(choices, symbols or stored.symbols, timeframe or stored.timeframe, errors)
    choices = [
        StrategyChoice(c) if isinstance(c, str) else StrategyChoice(**c)
        for c in given or settings().strategies
    ]
    return _Plan(choices, symbols, timeframe or settings().timeframe, {})
