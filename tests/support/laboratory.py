"""The backtesting service in memory: candles of two symbols, and workers that run at once."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from tests.support.http import Context
from trading.laboratory import laboratory
from trading.quant.strategies.strategy import Candles

START = datetime(2024, 1, 1, tzinfo=UTC)
INSTRUMENT = {
    "base_currency": "ACME",
    "quote_currency": "USD",
    "tick_size": "0.01",
    "lot_size": "0.001",
    "max_price_age_seconds": 86_400,
}


def walk(symbol: str, bars: int, seed: int = 1) -> Candles:
    """Hourly candles of a seeded random walk, in cents."""
    rng = np.random.default_rng(seed)
    close = np.round(100 * np.exp(np.cumsum(rng.normal(0, 0.01, bars))), 2)
    opened = np.append(100.0, close[:-1])
    return Candles(
        symbol,
        "1h",
        START.timestamp() + 3600.0 * np.arange(bars),
        opened,
        np.maximum(opened, close) + 0.5,
        np.minimum(opened, close) - 0.5,
        close,
        np.full(bars, 1000.0),
    )


def archive(candles: Candles) -> None:
    """Put candles into the archive."""
    laboratory().history._archive.put(candles)


@dataclass
class Workers:
    """Stands for Lambda and Step Functions: what is started is noted, and run when asked for."""

    runs: list[dict[str, Any]] = field(default_factory=list)
    sweeps: list[dict[str, Any]] = field(default_factory=list)
    started: set[str] = field(default_factory=set)

    class ExecutionAlreadyExists(Exception):
        """Another execution had the same name."""

    @property
    def exceptions(self) -> type[Workers]:
        return Workers

    def invoke(self, **asked: Any) -> None:
        assert (asked["FunctionName"], asked["InvocationType"]) == ("run", "Event")
        self.runs.append(json.loads(asked["Payload"]))

    def start_execution(self, **asked: Any) -> None:
        assert asked["stateMachineArn"].endswith(":sweeps")
        if asked["name"] in self.started:
            raise self.ExecutionAlreadyExists
        self.started.add(asked["name"])
        self.sweeps.append(json.loads(asked["input"]))

    def run_all(self) -> None:
        """Run the backtests that wait."""
        from backtesting.handler import on_run

        while self.runs:
            on_run(self.runs.pop(0), Context())

    def plan(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Take the first step of the sweep that waits; its event, and what the step answers."""
        from backtesting.handler import on_sweep

        event = self.sweeps.pop(0)
        return event, on_sweep({**event, "step": "plan"}, Context())

    def compute(self, event: dict[str, Any], numbers: list[int]) -> None:
        """Compute some chunks."""
        from backtesting.handler import on_sweep

        for number in numbers:
            on_sweep({**event, "step": "compute", "number": number}, Context())

    def conclude(self, event: dict[str, Any]) -> dict[str, Any]:
        """Rank."""
        from backtesting.handler import on_sweep

        return on_sweep({**event, "step": "conclude"}, Context())

    def sweep_all(self) -> None:
        """Run the sweeps that wait as the state machine does."""
        while self.sweeps:
            event, found = self.plan()
            self.compute(event, list(range(found["chunks"])))
            if found["rank"]:
                self.conclude(event)
