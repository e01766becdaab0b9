"""Volatility breakout."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from trading.quant.strategies.strategy import Candles, Hints, Strategy, StrategyParameters

if TYPE_CHECKING:
    from trading.quant.strategies.strategy import FloatArray


class VolatilityBreakoutParameters(StrategyParameters):
    """Bars of the average range, ranges that make a breakout, and bars that it counts.

    The stop and the target of an entry are in average ranges as well.
    """

    bars: int = Field(default=14, ge=1, le=500)
    ranges: float = Field(default=1.5, gt=0, le=20)
    hold: int = Field(default=5, ge=1, le=500)
    stop_ranges: float = Field(default=1.5, gt=0, le=20)
    target_ranges: float = Field(default=3.0, gt=0, le=50)


class VolatilityBreakout(Strategy):
    """+1 for ``hold`` bars from a rise by more than ``ranges`` average true ranges; -1 mirrored.

    The close is compared with the close before, the range is averaged plainly over the bars before
    that one; the newer of two breakouts counts. Wilder, New Concepts in Technical Trading Systems
    (1978), chapter 3, the volatility system, here without its trailing reversal; Williams,
    Long-Term Secrets to Short-Term Trading (1999), chapter 4.
    """

    Parameters: ClassVar[type[StrategyParameters]] = VolatilityBreakoutParameters

    @property
    def warm_up(self) -> int:
        """Bars to know the average range before the oldest breakout that still counts."""
        return int(self.parameters.bars + self.parameters.hold) + 1

    def score(self, candles: Candles) -> FloatArray:
        """Which breakout is on, NaN while warming up."""
        import numpy as np

        from trading.quant.strategies.rolling import before, since

        change = candles.close - before(candles.close)
        least = before(self._range(candles)) * self.parameters.ranges
        up, down = since(change > least), since(-change > least)
        newest = np.minimum(up, down)
        scores = np.where(newest < self.parameters.hold, np.where(up < down, 1.0, -1.0), 0.0)
        scores[: self.warm_up - 1] = np.nan
        return scores

    def hints(self, candles: Candles) -> Hints:
        """A stop and a target some average ranges from the close."""
        import numpy as np

        share = self._range(candles) / candles.close
        share = np.where(share > 0, share, np.nan)
        given = self.parameters
        return Hints(share * given.stop_ranges, share * given.target_ranges)

    def _range(self, candles: Candles) -> FloatArray:
        """The plain average of the true range, in prices."""
        from trading.quant.strategies.rolling import mean
        from trading.quant.strategies.true_range import true_range

        return mean(true_range(candles), self.parameters.bars)
