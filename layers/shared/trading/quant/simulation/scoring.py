"""A strategy's say on a whole market, and on which bars that can lead to anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from trading.domain.backtest import BacktestConfig
from trading.domain.errors import InvalidInput
from trading.domain.portfolio import AllocationPolicy, Direction
from trading.quant.simulation.market import Market
from trading.quant.strategies.registry import make
from trading.quant.strategies.scored import (
    LIMIT_SECONDS,
    NO_SCORE,
    SCORE_UNITS,
    Scored,
    scored,
)
from trading.quant.strategies.strategy import Candles, Strategy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NEVER = 2**31
"""A threshold that no score reaches."""


def score_market(
    config: BacktestConfig, market: Market, limit_seconds: float | None = LIMIT_SECONDS
) -> dict[str, Scored]:
    """Score every bar of every symbol by the configured strategy.

    Raises InvalidInput for an unknown strategy or parameter, and where no symbol has as many bars
    as the strategy warms up on; StrategyFailed for what it does wrong.
    """
    strategy = make(config.strategy, config.parameters)
    return score_by(strategy, config.strategy, market, limit_seconds)


def score_by(
    strategy: Strategy, name: str, market: Market, limit_seconds: float | None = LIMIT_SECONDS
) -> dict[str, Scored]:
    """Score every bar of every symbol; raises as ``score_market``."""
    longest = max(len(candles) for candles in market.candles.values())
    if strategy.warm_up > longest:
        raise InvalidInput(
            "strategy",
            f"'{name}' warms up on {strategy.warm_up} bars, and there are {longest} at most",
        )
    return {
        symbol: scored(strategy, seeing(strategy, market, symbol), name, limit_seconds)
        for symbol in market.symbols
    }


def seeing(strategy: Strategy, market: Market, symbol: str) -> Candles:
    """A symbol's candles with those that the strategy wants beside them.

    Raises InvalidInput for one that the market does not have.
    """
    wanted = strategy.others(symbol, market.symbols)
    for other in wanted:
        if other not in market.candles:
            raise InvalidInput("symbols", f"the strategy needs '{other}' as well")
    candles = market.candles[symbol]
    return candles.seeing({s: market.candles[s] for s in wanted}) if wanted else candles


@dataclass(frozen=True)
class Thresholds:
    """From where on scores act, in millionths: enter long or short, leave a long or a short."""

    enter_long: int
    enter_short: int
    leave_long: int
    leave_short: int

    @classmethod
    def of(cls, policy: AllocationPolicy, *, margin: bool) -> Thresholds:
        """Those of a policy; a side that its direction does not open is never entered."""
        entry = int((policy.entry_score * SCORE_UNITS).to_integral_value(ROUND_CEILING))
        leave = int((policy.exit_score * SCORE_UNITS).to_integral_value(ROUND_FLOOR))
        shorts = margin and policy.direction is not Direction.LONG
        longs = policy.direction is not Direction.SHORT
        return cls(entry if longs else NEVER, -entry if shorts else -NEVER, leave, -leave)

    def acts(self, scores: NDArray[np.int64], sign: int) -> NDArray[np.bool_]:
        """On which of these scores something can follow for a holding of that sign."""
        if sign > 0:
            acting = scores <= self.leave_long
        elif sign < 0:
            acting = scores >= self.leave_short
        else:
            acting = (scores >= self.enter_long) | (scores <= self.enter_short)
        found: NDArray[np.bool_] = (scores != NO_SCORE) & acting
        return found


@dataclass(frozen=True, eq=False)
class Timeline:
    """Which bar of each symbol last had a score at each step, and at which steps scores act."""

    scored_bar: Mapping[str, NDArray[np.int64]]
    steps: Mapping[tuple[str, int], NDArray[np.int64]]

    @classmethod
    def of(cls, config: BacktestConfig, market: Market, says: Mapping[str, Scored]) -> Timeline:
        """Work it out for a run."""
        import numpy as np

        thresholds = Thresholds.of(config.policy, margin=config.margin)
        bars, steps = {}, {}
        for symbol in market.symbols:
            scores, index = says[symbol].scores, market.index[symbol]
            known = np.where((index >= 0) & (scores[index] != NO_SCORE), index, -1)
            newest = np.maximum.accumulate(known)
            bars[symbol] = newest
            now = np.where(newest >= 0, scores[newest], NO_SCORE)
            for sign in (-1, 0, 1):
                steps[symbol, sign] = np.flatnonzero(thresholds.acts(now, sign))
        return cls(bars, steps)

    def next_acting(self, step: int, signs: Mapping[str, int]) -> int | None:
        """The first step from ``step`` on at which a score acts on what is held; None if none."""
        import numpy as np

        found = []
        for symbol in self.scored_bar:
            steps = self.steps[symbol, signs.get(symbol, 0)]
            place = int(np.searchsorted(steps, step))
            if place < len(steps):
                found.append(int(steps[place]))
        return min(found, default=None)


def millionths(units: int) -> Decimal:
    """A score or hint as an amount."""
    return Decimal(units).scaleb(-6)
