"""One trial of a search: a backtest of one combination of parameters, cut down to its figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from trading.domain.backtest import BacktestConfig
from trading.domain.errors import TradingError
from trading.quant.search.sweep import Trial
from trading.quant.simulation.market import Market
from trading.quant.simulation.result import BacktestResult
from trading.quant.simulation.scoring import score_market
from trading.quant.statistics.backtest import key_figures
from trading.quant.strategies.scored import LIMIT_SECONDS, Scored


class Simulate(Protocol):
    """What runs a backtest: ``trading.backtesting.run_backtest``."""

    def __call__(
        self,
        config: BacktestConfig,
        market: Market,
        progress: Callable[[int, int], None] | None = None,
        *,
        says: dict[str, Scored] | None = None,
    ) -> BacktestResult:
        """Run a configuration on a market."""


def try_parameters(
    simulate: Simulate,
    config: BacktestConfig,
    market: Market,
    parameters: Mapping[str, Any],
    limit_seconds: float | None = LIMIT_SECONDS,
) -> Trial:
    """Backtest one combination on its whole market; one that cannot be run says why.

    ``limit_seconds`` bounds the strategy's own time; None trusts that it ends.
    """
    import numpy as np

    tried = config.model_copy(
        update={"parameters": dict(parameters), "start": None, "end": None, "data_hash": None}
    )
    try:
        says = score_market(tried, market, limit_seconds)
        result = simulate(tried, market, says=says)
    except TradingError as error:
        return Trial(parameters, {}, np.empty(0), error.detail)
    figures, returns = key_figures(result, market)
    return Trial(parameters, figures, returns)
