"""Time-series momentum."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from trading.quant.strategies.strategy import Candles, Hints, Strategy, StrategyParameters

if TYPE_CHECKING:
    from trading.quant.strategies.strategy import FloatArray


class MomentumParameters(StrategyParameters):
    """Bars to look back on, and the volatility per bar from which on to take less.

    ``volatility`` is a fraction of the price, measured over ``volatility_bars`` returns.
    """

    bars: int = Field(default=252, ge=1, le=5000)
    volatility: float = Field(default=0.02, gt=0, le=1)
    volatility_bars: int = Field(default=60, ge=2, le=500)


class Momentum(Strategy):
    """+1 when the close is above that of ``bars`` ago, -1 below, 0 when it is the same.

    An entry is scaled down by how much more volatile the price is than ``volatility``. Moskowitz,
    Ooi and Pedersen, Time Series Momentum, Journal of Financial Economics 104 (2012); returns here
    are not in excess of cash.
    """

    Parameters: ClassVar[type[StrategyParameters]] = MomentumParameters

    @property
    def warm_up(self) -> int:
        """The bar to compare with and the returns to measure have to be there."""
        return int(max(self.parameters.bars, self.parameters.volatility_bars)) + 1

    def score(self, candles: Candles) -> FloatArray:
        """The sign of the change over the look-back, NaN while warming up."""
        import numpy as np

        from trading.quant.strategies.rolling import before

        scores: FloatArray = np.sign(candles.close - before(candles.close, self.parameters.bars))
        scores[: self.warm_up - 1] = np.nan
        return scores

    def hints(self, candles: Candles) -> Hints:
        """The part of the usual size: the volatility aimed at, by the one there is, at most 1."""
        import numpy as np

        from trading.quant.strategies.rolling import before, deviation

        given = self.parameters
        returns = candles.close / before(candles.close) - 1
        # The first return is missing, and would be missing in every window that holds it.
        there = deviation(returns[1:], given.volatility_bars)
        least = given.volatility * np.ones(len(candles))
        least[1:] = np.fmax(there, given.volatility)
        return Hints(size=given.volatility / least)
