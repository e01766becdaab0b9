"""Breakout from Bollinger bands."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from trading.quant.strategies.strategy import Candles, Strategy, StrategyParameters

if TYPE_CHECKING:
    from trading.quant.strategies.strategy import FloatArray


class BollingerBreakoutParameters(StrategyParameters):
    """Length of the bands in bars, their width in deviations, and how long a breakout counts."""

    bars: int = Field(default=20, ge=2, le=500)
    width: float = Field(default=2.0, gt=0, le=10)
    memory: int = Field(default=60, ge=1, le=2000)


class BollingerBreakout(Strategy):
    """+1 from a close above the upper band until one below the middle; -1 mirrored, else 0.

    The bands lie ``width`` population standard deviations of the close around its simple average.
    A breakout that is not followed by another within ``memory`` bars is over. Bollinger, Bollinger
    on Bollinger Bands (2001), chapter 15, the volatility breakout.
    """

    Parameters: ClassVar[type[StrategyParameters]] = BollingerBreakoutParameters

    @property
    def warm_up(self) -> int:
        """Bars to know the bands as far back as a breakout counts."""
        return int(self.parameters.bars + self.parameters.memory)

    def score(self, candles: Candles) -> FloatArray:
        """Which breakout is on, NaN while warming up."""
        import numpy as np

        from trading.quant.strategies.rolling import deviation, mean, since

        given, close = self.parameters, candles.close
        middle, spread = mean(close, given.bars), given.width * deviation(close, given.bars)
        up, down = since(close > middle + spread), since(close < middle - spread)
        above, below = since(close > middle), since(close < middle)
        rising = (up < below) & (up < given.memory)
        falling = (down < above) & (down < given.memory)
        scores = np.where(rising, 1.0, np.where(falling, -1.0, 0.0))
        scores[: self.warm_up - 1] = np.nan
        return scores
