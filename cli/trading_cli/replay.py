"""Replays candles through a deployed stack: posts them, then does what the schedules would."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from trading_cli.api import Api
from trading_cli.candles import Day
from trading_cli.errors import UserError
from trading_cli.stack import Stack

STRATEGIES = ("ma_cross", {"name": "rsi_reversion", "parameters": {"period": 5}})
"""The second with a short period: a recursive index of 14 bars is warm only after 393."""
DAYS_A_WEEK = 5
DRAIN_SECONDS = 60.0
WAITING = {"pending", "queued"}

Progress = Callable[[date, Decimal], None]
"""Told after every step: the day that was reached, and the equity as of the last snapshot."""


@dataclass
class Replay:
    """One portfolio's run over history. ``seconds`` tells where the time went."""

    stack: Stack
    api: Api
    portfolio_id: str
    symbols: Sequence[str]
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def run(self, days: Sequence[Day], every: int, progress: Progress) -> None:
        """Post ``every`` days at a time and let the functions work after each.

        Raises UserError when the queue is not worked off, or when a function or the API fails.
        """
        equity = self.equity()
        since_snapshot = 0
        for at in range(0, len(days), every):
            chunk = days[at : at + every]
            self._step(chunk)
            since_snapshot += len(chunk)
            if since_snapshot >= DAYS_A_WEEK or chunk[-1] is days[-1]:
                with self._timed("snapshots"):
                    self._schedule("PortfolioSnapshot", {"portfolio_ids": [self.portfolio_id]})
                    equity = self.equity()
                since_snapshot = 0
            progress(chunk[-1].on, equity)

    def equity(self) -> Decimal:
        """Return the portfolio's equity now."""
        return Decimal(self.api.get(f"/portfolio/{self.portfolio_id}")["equity"])

    def post_candles(self, symbol: str, days: Sequence[Day]) -> None:
        """Post a symbol's candles of some days, where it has any."""
        candles = [day.candles[symbol] for day in days if symbol in day.candles]
        if candles:
            body = {"symbol": symbol, "timeframe": "1d", "candles": candles}
            self.api.post("/market/candles", body)

    def _step(self, days: Sequence[Day]) -> None:
        """Let one tick of every schedule happen on new candles."""
        with self._timed("candles"):
            for symbol in self.symbols:
                self.post_candles(symbol, days)
        with self._timed("signals"):
            about = {"symbols": list(self.symbols), "timeframe": "1d"}
            self._schedule("SignalsGenerate", about | {"strategies": list(STRATEGIES)})
        with self._timed("recommendations"):
            made = self._schedule("RecommendationsGenerate", {"portfolio_ids": [self.portfolio_id]})
            if made.get("unsent"):
                self._schedule("RecommendationsRelay", {})
        if made["created"] > made["rejected"]:
            with self._timed("queue"):
                self._wait_for_execution()
        with self._timed("matching"):
            self._schedule("ExecutionMatch", {})

    def _schedule(self, name: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """Call a function as EventBridge Scheduler does, with the schedule's input."""
        answer: dict[str, Any] = self.stack.invoke(f"{name}Function", event)
        return answer

    def _wait_for_execution(self) -> None:
        """Wait until no recommendation of the portfolio is on its way any more."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < deadline:
            page = self.api.get("/recommendations", portfolio_id=self.portfolio_id, limit=20)
            if not any(r["execution_status"] in WAITING for r in page["items"]):
                return
            time.sleep(0.05)
        raise UserError(
            f"The queue was not worked off within {DRAIN_SECONDS:.0f} s;"
            " `trading status` shows whether dead letters lie there."
        )

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        """Add up what a part of the work takes."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[what] += time.monotonic() - started
