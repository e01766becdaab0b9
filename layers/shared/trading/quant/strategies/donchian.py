"""Donchian channels, as the Turtles traded them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from trading.quant.strategies.strategy import Candles, Hints, Strategy, StrategyParameters

if TYPE_CHECKING:
    from trading.quant.strategies.strategy import FloatArray


class DonchianParameters(StrategyParameters):
    """Bars of the channel to enter by and of the one to leave by, and the stop's distance.

    ``stop_ranges`` is in average true ranges; ``memory`` how many bars a breakout counts.
    """

    entry: int = Field(default=20, ge=2, le=1000)
    exit: int = Field(default=10, ge=1, le=1000)
    stop_ranges: float = Field(default=2.0, gt=0, le=20)
    memory: int = Field(default=100, ge=1, le=2000)

    @model_validator(mode="after")
    def _exit_is_shorter(self) -> DonchianParameters:
        if self.exit >= self.entry:
            raise ValueError("exit must be smaller than entry")
        return self


class Donchian(Strategy):
    """+1 from a close above the entry channel until one below the exit channel; -1 mirrored.

    A channel is the highest high and lowest low of the bars before. A breakout that is not
    followed by another within ``memory`` bars is over. An entry's stop lies ``stop_ranges``
    average true ranges away. Rules: Faith, Way of the Turtle (2007), chapter 5 and appendix; the
    range is averaged plainly over the entry channel's bars, not exponentially.
    """

    Parameters: ClassVar[type[StrategyParameters]] = DonchianParameters

    @property
    def warm_up(self) -> int:
        """Bars to know the entry channel as far back as a breakout counts."""
        return int(self.parameters.entry + self.parameters.memory)

    def score(self, candles: Candles) -> FloatArray:
        """Which breakout is on, NaN while warming up."""
        import numpy as np
        import talib

        from trading.quant.strategies.rolling import before, since

        given, close = self.parameters, candles.close
        up = since(close > before(talib.MAX(candles.high, given.entry)))
        down = since(close < before(talib.MIN(candles.low, given.entry)))
        # MAX and MIN take no window of one bar.
        high, low = (
            (talib.MAX(candles.high, given.exit), talib.MIN(candles.low, given.exit))
            if given.exit > 1
            else (candles.high, candles.low)
        )
        leave_short, leave_long = since(close > before(high)), since(close < before(low))
        rising = (up < leave_long) & (up < given.memory)
        falling = (down < leave_short) & (down < given.memory)
        scores = np.where(rising, 1.0, np.where(falling, -1.0, 0.0))
        scores[: self.warm_up - 1] = np.nan
        return scores

    def hints(self, candles: Candles) -> Hints:
        """A stop some average true ranges from the close; none where prices stand still."""
        import numpy as np

        from trading.quant.strategies.rolling import mean
        from trading.quant.strategies.true_range import true_range

        width = mean(true_range(candles), self.parameters.entry) * self.parameters.stop_ranges
        distance = width / candles.close
        return Hints(stop_distance=np.where(distance > 0, distance, np.nan))
