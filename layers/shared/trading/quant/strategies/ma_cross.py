"""Moving-average cross."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from trading.quant.strategies.strategy import Candles, Strategy, StrategyParameters

if TYPE_CHECKING:
    from trading.quant.strategies.strategy import FloatArray

EQUAL = 1e-9
"""Averages closer than this share of the slow one are equal: sums of floats are not exact."""


class MovingAverageCrossParameters(StrategyParameters):
    """Lengths of the two averages in bars."""

    fast: int = Field(default=10, ge=1, le=1000)
    slow: int = Field(default=30, ge=2, le=2000)

    @model_validator(mode="after")
    def _fast_is_faster(self) -> MovingAverageCrossParameters:
        if self.fast >= self.slow:
            raise ValueError("fast must be smaller than slow")
        return self


class MovingAverageCross(Strategy):
    """+1 while the fast simple moving average of the close is above the slow one, else -1.

    The rule is the double crossover of Murphy, Technical Analysis of the Financial Markets
    (1999), chapter 9. Equal averages score 0.
    """

    Parameters: ClassVar[type[StrategyParameters]] = MovingAverageCrossParameters

    @property
    def warm_up(self) -> int:
        """The slow average needs as many bars as it averages."""
        return int(self.parameters.slow)

    def score(self, candles: Candles) -> FloatArray:
        """The sign of fast less slow, NaN until the slow average exists."""
        import numpy as np
        import talib

        # MA's default kind is the simple average; unlike SMA it takes a length of one bar.
        fast = talib.MA(candles.close, self.parameters.fast)
        slow = talib.MA(candles.close, self.parameters.slow)
        gap, equal = fast - slow, EQUAL * slow
        scores: FloatArray = np.subtract(gap > equal, gap < -equal, dtype=float)
        scores[: self.warm_up - 1] = np.nan
        return scores
