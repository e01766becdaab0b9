"""The gate before the schedule: a strategy must pass the check before it may trade unattended.

The check runs on made-up walks, so that it needs no stored candles and says the same everywhere;
`trading strategy check` runs it on real ones. What passed is remembered by class and parameters for
as long as the process lives.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from trading.domain.errors import StrategyFailed
from trading.quant.strategies.candles import Candles
from trading.quant.strategies.lookahead import problems
from trading.quant.strategies.scored import in_time
from trading.quant.strategies.strategy import Strategy

if TYPE_CHECKING:
    import numpy as np

    from trading.quant.strategies.candles import FloatArray

BARS = 240
"""Bars beyond the warm-up that are walked."""
LIMIT_SECONDS = 5.0
"""How long all of one strategy's check may take."""
UNIVERSE = ("WALK-A", "WALK-B", "WALK-C")


def admit(strategy: Strategy, name: str, universe: Sequence[str]) -> None:
    """Let a strategy that is to run on ``universe`` pass. Raises StrategyFailed otherwise."""
    found = _problem(type(strategy), strategy.parameters.model_dump_json(), tuple(universe))
    if found is not None:
        raise StrategyFailed(name, f"has not passed the check and is not scheduled: it {found}")


def problem_of(strategy: Strategy, name: str) -> str | None:
    """Why a strategy may not be scheduled; None if it may."""
    try:
        admit(strategy, name, ())
    except StrategyFailed as error:
        return error.why
    return None


@cache
def _problem(kind: type[Strategy], parameters: str, universe: tuple[str, ...]) -> str | None:
    """The first thing that is wrong with a strategy; None if nothing is."""
    strategy = kind(kind.Parameters.model_validate_json(parameters))
    names = universe or UNIVERSE
    try:
        wanted = in_time(lambda: list(strategy.others(names[0], names)), LIMIT_SECONDS)
        candles = walk(names[0], strategy.warm_up + BARS, 0)
        beside = {n: walk(n, len(candles), i) for i, n in enumerate(wanted, start=1)}
    except Exception as error:  # noqa: BLE001 - other people's code may fail in any way
        return f"failed: {type(error).__name__}"
    found = problems(strategy, candles.seeing(beside), limit_seconds=LIMIT_SECONDS)
    return found[0] if found else None


def walk(symbol: str, bars: int, seed: int) -> Candles:
    """A seeded random walk of daily candles that begins at 100."""
    import numpy as np

    draw: np.random.Generator = np.random.default_rng(seed)
    close: FloatArray = np.exp(np.cumsum(draw.normal(0, 0.02, bars))) * 100
    opened: FloatArray = np.append(100.0, close[:-1])
    high = np.maximum(opened, close) * (1 + abs(draw.normal(0, 0.005, bars)))
    low = np.minimum(opened, close) * (1 - abs(draw.normal(0, 0.005, bars)))
    volume = draw.uniform(1e3, 1e6, bars)
    time: FloatArray = np.arange(bars, dtype=float) * 86_400.0
    return Candles(symbol, "1d", time, opened, high, low, close, volume)
