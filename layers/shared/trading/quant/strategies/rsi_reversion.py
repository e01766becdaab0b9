"""RSI mean reversion."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from trading.quant.strategies.strategy import Candles, Strategy, StrategyParameters

if TYPE_CHECKING:
    from trading.quant.strategies.strategy import FloatArray

SETTLING = 28
"""Wilder's smoothing remembers its start; after this many periods that is below 1e-12 of it."""


class RsiReversionParameters(StrategyParameters):
    """Length of the RSI in bars, and the levels that count as too low and too high."""

    period: int = Field(default=14, ge=2, le=500)
    oversold: float = Field(default=30, gt=0, lt=100)
    overbought: float = Field(default=70, gt=0, lt=100)

    @model_validator(mode="after")
    def _levels_differ(self) -> RsiReversionParameters:
        if self.oversold >= self.overbought:
            raise ValueError("oversold must be smaller than overbought")
        return self


class RsiReversion(Strategy):
    """+1 while the relative strength index is oversold, -1 while overbought, else 0.

    The levels themselves count as beyond; a price that has not moved within the warm-up is at
    neither. The index and its usual levels are those of Wilder, New
    Concepts in Technical Trading Systems (1978).
    """

    Parameters: ClassVar[type[StrategyParameters]] = RsiReversionParameters

    @property
    def warm_up(self) -> int:
        """Bars until where the history begins no longer shows in the index."""
        return int(self.parameters.period) * SETTLING + 1

    def score(self, candles: Candles) -> FloatArray:
        """Which side of the levels the index is on, NaN while warming up."""
        import numpy as np
        import talib

        index = talib.RSI(candles.close, self.parameters.period)
        low, high = index <= self.parameters.oversold, index >= self.parameters.overbought
        scores: FloatArray = np.where(low, 1.0, np.where(high, -1.0, 0.0))
        bars = self.warm_up
        # The index of a price that stands still is 0 / 0, which TA-Lib answers as 0.
        scores[talib.MAX(candles.close, bars) == talib.MIN(candles.close, bars)] = 0.0
        scores[: bars - 1] = np.nan
        return scores
