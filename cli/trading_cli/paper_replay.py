"""Replays a backtest's candles through a deployed stack in paper mode, bar by bar.

Every bar is posted over the API. After each, what the schedules would do happens once: resting
orders are shown the bar, the strategy scores it, recommendations follow, the queue carries them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from decimal import Decimal
from typing import Any

from trading.domain.backtest import BacktestConfig
from trading.domain.candle import Candle
from trading.domain.money import plain
from trading.quant.simulation.market import Market
from trading.quant.simulation.scoring import Timeline
from trading.schemas.policy import PolicyTerms
from trading_cli.api import Api
from trading_cli.errors import UserError
from trading_cli.stack import Stack

DRAIN_SECONDS = 120.0
WAITING = {"pending", "queued"}
POSTED_AT_ONCE = 500
NOT_IN_WIRE = {"symbol", "version"}

Answer = dict[str, Any]
Progress = Callable[[int], None]
"""Told after every posting: how many bars of the time axis were shown."""


@dataclass
class PaperReplay:
    """One run of a configuration's candles through a stack.

    With a ``timeline``, bars on which no score can act on what is held, and no order rests, are
    posted many at a time; without one every bar is worked on.
    """

    stack: Stack
    api: Api
    portfolio_id: str
    config: BacktestConfig
    market: Market
    timeline: Timeline | None = None
    _open_orders: int = 0
    _held: dict[str, int] = field(default_factory=dict)

    def open_books(self) -> None:
        """Tell the platform what is traded, and open the portfolio with its limits."""
        for symbol, instrument in sorted(self.config.instruments.items()):
            terms = instrument.model_dump(mode="json", exclude=NOT_IN_WIRE, exclude_none=True)
            self.api.put(f"/market/instruments/{symbol}", terms)
        account = self.config.account(self.portfolio_id)
        policy = PolicyTerms.of(account.policy).model_dump(mode="json")
        policy |= {"symbols": list(self.market.symbols)}
        self.api.put(
            f"/portfolio/{self.portfolio_id}",
            {
                "base_currency": account.base_currency,
                "mode": "paper",
                "clock": "market",
                "cash": plain(self.config.cash),
                "commission_rate": plain(account.commission_rate),
                "margin": account.margin,
                "cost_method": account.cost_method.value,
                "borrow_rate": plain(account.borrow_rate),
                "fill_model": account.fill_model.model_dump(mode="json"),
                "policy": policy,
            },
        )
        limits = self.config.limits.model_dump(mode="json", exclude=NOT_IN_WIRE)
        self.api.put(f"/risk/{self.portfolio_id}/limits", limits)

    def run(self, progress: Progress) -> None:
        """Post all candles and let the platform work. Raises UserError if it does not finish."""
        waiting: list[int] = []
        for step in range(len(self.market.times)):
            waiting.append(step)
            acts = self._acts(step)
            if not acts and len(waiting) < POSTED_AT_ONCE:
                continue
            self._post(waiting)
            waiting = []
            if acts:
                self._work(step)
            progress(step + 1)
        if waiting:
            self._post(waiting)
            progress(len(self.market.times))

    def fills(self) -> Iterator[Answer]:
        """Every fill in the order of the ledger."""
        by_id = {f["id"]: f for f in self.api.each("/executions", portfolio_id=self.portfolio_id)}
        path = f"/portfolio/{self.portfolio_id}/ledger"
        causes = [t["cause"] for t in self.api.each(path) if t["kind"] == "fill"]
        for cause in reversed(causes):
            yield by_id[cause.removeprefix("fill:")]

    def _acts(self, step: int) -> bool:
        """Whether anything can happen at a step beyond new prices."""
        if self._open_orders or self.timeline is None:
            return True
        return self.timeline.next_acting(step, self._held) == step

    def _bars_at(self, step: int) -> list[tuple[str, int]]:
        """The symbols that have a bar at a step, and which of their bars it is."""
        found = ((s, int(self.market.index[s][step])) for s in self.market.symbols)
        return [(symbol, bar) for symbol, bar in found if bar >= 0]

    def _post(self, steps: Sequence[int]) -> None:
        """Post the bars of some steps and show them to what rests, one symbol after the other."""
        for symbol in self.market.symbols:
            bars = [int(self.market.index[symbol][step]) for step in steps]
            candles = [_wire(self.market.candle(symbol, bar)) for bar in bars if bar >= 0]
            if not candles:
                continue
            body = {"symbol": symbol, "timeframe": self.market.timeframe, "candles": candles}
            self.api.post("/market/candles", body)
            if self._open_orders:
                self.stack.invoke("ExecutionMatchFunction", {"symbol": symbol})

    def _work(self, step: int) -> None:
        """Let the strategy, the recommendations and the queue have their turn."""
        symbols = [symbol for symbol, _ in self._bars_at(step)]
        strategy = {"name": self.config.strategy, "parameters": self.config.parameters}
        about = {"symbols": symbols, "timeframe": self.market.timeframe}
        made = self.api.post("/signals/generate", about | {"strategies": [strategy]})
        if made["errors"]:
            raise UserError(f"The strategy failed on the stack: {made['errors']}")
        wanted = {"portfolio_ids": [self.portfolio_id]}
        answer = self.api.post("/recommendations/generate", wanted)
        if answer["created"] > answer["rejected"]:
            self._wait_for_execution()
        self._look()

    def _look(self) -> None:
        """Remember how many orders rest, and which side each holding is on."""
        path = f"/portfolio/{self.portfolio_id}"
        self._open_orders = self.api.get(path)["open_orders"]
        if self.timeline is not None:
            held = {p["symbol"]: Decimal(p["quantity"]) for p in self.api.each(f"{path}/positions")}
            self._held = {symbol: (q > 0) - (q < 0) for symbol, q in held.items()}

    def _wait_for_execution(self) -> None:
        """Wait until no recommendation of the portfolio is on its way any more."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < deadline:
            page = self.api.get("/recommendations", portfolio_id=self.portfolio_id, limit=20)
            if not any(r["execution_status"] in WAITING for r in page["items"]):
                return
            time.sleep(0.02)
        raise UserError(f"The queue was not worked off within {DRAIN_SECONDS:.0f} s.")


def _wire(candle: Candle) -> dict[str, str]:
    """A candle as ``POST /market/candles`` takes it."""
    amounts = {n: plain(getattr(candle, n)) for n in ("open", "high", "low", "close", "volume")}
    return {"time": candle.time.astimezone(UTC).isoformat(), **amounts}
