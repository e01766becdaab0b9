"""Runs a strategy over the past: the very use cases that trade on paper, bar by bar.

Per bar time: each symbol's market moves and is shown to its resting orders, in order of symbol;
then scores become signals, signals recommendations, recommendations orders. Bar times at which
nothing can happen (no order rests, and no score acts on what is held) are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from trading.domain.backtest import BacktestConfig
from trading.domain.recommendation import RecommendationStatus
from trading.domain.signal import Signal
from trading.ports import Desk
from trading.quant.simulation.market import Market
from trading.quant.simulation.scoring import Timeline, millionths
from trading.quant.strategies.scored import NO_SCORE, Scored
from trading.usecases.execute_recommendation import execute_recommendation
from trading.usecases.generate_signals import TECHNICAL
from trading.usecases.match_orders import match_orders
from trading.usecases.monitor_risk import watch_holders
from trading.usecases.recommend import recommend_for

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Progress = Callable[[int, int], None]
"""Told now and then: steps done, and steps in all."""

TOLD_EVERY = 1000


@dataclass
class History:
    """A desk whose market can be moved.

    ``show`` lets a symbol's next bar happen there, ``hear`` keeps its newest signal; ``between``
    runs after every step that is looked at.
    """

    desk: Desk
    show: Callable[[str, int], None]
    hear: Callable[[Signal], None]
    between: Callable[[int], None]


def replay_history(
    history: History,
    portfolio_id: str,
    config: BacktestConfig,
    market: Market,
    says: Mapping[str, Scored],
    progress: Progress | None = None,
    *,
    every_bar: bool = False,
    at_steps: NDArray[np.int64] | None = None,
) -> None:
    """Let a portfolio trade on a market of the past.

    ``at_steps`` are steps that are to be looked at whatever happens there, in rising order; with
    ``every_bar`` all of them are.
    """
    run = _Run(history, portfolio_id, config, market, says)
    all_steps = every_bar or config.limits.needs_marks
    step: int | None = 0
    told = 0
    total = len(market.times)
    while step is not None and step < total:
        run.at(step)
        history.between(step)
        if progress is not None and step - told >= TOLD_EVERY:
            progress(step, total)
            told = step
        step = step + 1 if all_steps or run.waiting else run.following(step + 1, at_steps)
    if progress is not None:
        progress(total, total)


class _Run:
    """One portfolio's way through the past."""

    def __init__(
        self,
        history: History,
        portfolio_id: str,
        config: BacktestConfig,
        market: Market,
        says: Mapping[str, Scored],
    ) -> None:
        import numpy as np

        self._history, self._desk, self._pid = history, history.desk, portfolio_id
        self._config, self._market, self._says = config, market, says
        self._timeline = Timeline.of(config, market, says)
        # The newest bar of every symbol at every step, whether it opened then or before.
        self._newest = {s: np.maximum.accumulate(market.index[s]) for s in market.symbols}
        self._shown = dict.fromkeys(market.symbols, -1)
        self._length: timedelta = market.bar_length

    @property
    def waiting(self) -> bool:
        """Whether an order rests."""
        return self._desk.books.account(self._pid).open_orders > 0

    def following(self, step: int, at_steps: NDArray[np.int64] | None) -> int | None:
        """The next step at which something can happen."""
        import numpy as np

        positions = self._desk.books.portfolio(self._pid).positions
        signs = {s: (p.quantity > 0) - (p.quantity < 0) for s, p in positions.items()}
        acting = self._timeline.next_acting(step, signs)
        if at_steps is None:
            return acting
        place = int(np.searchsorted(at_steps, step))
        fixed = int(at_steps[place]) if place < len(at_steps) else None
        return min((s for s in (acting, fixed) if s is not None), default=None)

    def at(self, step: int) -> None:
        """Let one bar time happen."""
        watched = self._config.limits.needs_marks
        for symbol in self._market.symbols:
            bar = int(self._newest[symbol][step])
            if bar < 0 or bar == self._shown[symbol]:
                continue
            self._shown[symbol] = bar
            self._history.show(symbol, bar)
            if self.waiting:
                match_orders(self._desk, symbol)
            if watched:
                watch_holders(self._desk, [symbol])
        self._hear(step)
        for made in recommend_for(self._desk, self._pid, "backtest"):
            if made.execution_status is RecommendationStatus.PENDING:
                execute_recommendation(self._desk, made.id)

    def _hear(self, step: int) -> None:
        """Bring every symbol's newest signal up to the step."""
        for symbol in self._market.symbols:
            bar = int(self._timeline.scored_bar[symbol][step])
            if bar >= 0:
                self._history.hear(self._signal(symbol, bar))

    def _signal(self, symbol: str, bar: int) -> Signal:
        """What the strategy says of a bar."""
        said = self._says[symbol]
        candle = self._market.candle(symbol, bar)
        closed = candle.time + self._length
        hints = {
            name: None
            if column is None or column[bar] == NO_SCORE
            else millionths(int(column[bar]))
            for name in ("stop_distance", "target_distance", "size")
            for column in (getattr(said, name),)
        }
        return Signal.trusted(
            id=f"{symbol}:{bar}",
            symbol=symbol,
            source=TECHNICAL,
            strategy=self._config.strategy,
            score=millionths(int(said.scores[bar])),
            time=closed,
            price=candle.close,
            timeframe=candle.timeframe,
            parameters={},
            created_at=closed,
            correlation_id="backtest",
            **hints,
        )
