"""Moving average convergence and divergence."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from trading.quant.strategies.strategy import Candles, Strategy, StrategyParameters

if TYPE_CHECKING:
    from trading.quant.strategies.strategy import FloatArray

SETTLING = 14
"""After so many lengths an exponential average has forgotten its start but for 1e-12 of it."""
EQUAL = 1e-9
"""A gap smaller than this share of the price is none: recursive averages are not exact."""


class MacdParameters(StrategyParameters):
    """Lengths in bars of the two averages of the close, and of the average of their gap."""

    fast: int = Field(default=12, ge=2, le=500)
    slow: int = Field(default=26, ge=3, le=1000)
    signal: int = Field(default=9, ge=2, le=500)

    @model_validator(mode="after")
    def _fast_is_faster(self) -> MacdParameters:
        if self.fast >= self.slow:
            raise ValueError("fast must be smaller than slow")
        return self


class Macd(Strategy):
    """+1 while the MACD line is above its signal line, -1 below, 0 where they are equal.

    The line is the fast less the slow exponential average of the close, the signal line an
    exponential average of it. Appel, Technical Analysis: Power Tools for Active Investors (2005),
    chapter 8.
    """

    Parameters: ClassVar[type[StrategyParameters]] = MacdParameters

    @property
    def warm_up(self) -> int:
        """Bars until where the history begins no longer shows in the averages."""
        return SETTLING * int(self.parameters.slow + self.parameters.signal)

    def score(self, candles: Candles) -> FloatArray:
        """Which side of its signal line the MACD line is on, NaN while warming up."""
        import numpy as np
        import talib

        given = self.parameters
        _, _, gap = talib.MACD(candles.close, given.fast, given.slow, given.signal)
        equal = np.abs(gap) <= EQUAL * candles.close
        scores: FloatArray = np.where(equal, 0.0, np.sign(gap))
        scores[: self.warm_up - 1] = np.nan
        return scores
