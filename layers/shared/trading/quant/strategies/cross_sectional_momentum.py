"""Cross-sectional momentum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from trading.quant.strategies.strategy import Candles, Strategy, StrategyParameters

if TYPE_CHECKING:
    from trading.quant.strategies.strategy import FloatArray

EQUAL = 1e-12
"""Returns nearer to each other than this are equal."""


class CrossSectionalMomentumParameters(StrategyParameters):
    """Bars over which returns are compared, and the newest bars that are left out of them."""

    bars: int = Field(default=126, ge=1, le=5000)
    skip: int = Field(default=21, ge=0, le=500)


class CrossSectionalMomentum(Strategy):
    """The share of the other symbols that it has beaten, less the share that has beaten it.

    +1 for the best of all, -1 for the worst, 0 in the middle or alone. Compared are returns over
    ``bars`` bars that end ``skip`` bars ago. A symbol without a bar at either end is left out.
    Jegadeesh and Titman, Returns to Buying Winners and Selling Losers, Journal of Finance 48
    (1993).
    """

    Parameters: ClassVar[type[StrategyParameters]] = CrossSectionalMomentumParameters

    @property
    def warm_up(self) -> int:
        """Both ends of the return have to be there."""
        return int(self.parameters.bars + self.parameters.skip) + 1

    def others(self, symbol: str, universe: Sequence[str]) -> Sequence[str]:
        """All others."""
        return [other for other in universe if other != symbol]

    def score(self, candles: Candles) -> FloatArray:
        """Where it stands among all, NaN while warming up."""
        import numpy as np

        own = self._return(candles)
        balance, compared = np.zeros(len(candles)), np.zeros(len(candles))
        for symbol in candles.symbols:
            if symbol == candles.symbol:
                continue
            gap = own - self._return(candles.of(symbol))
            there = ~np.isnan(gap)
            balance += np.where(there & (np.abs(gap) > EQUAL), np.sign(gap), 0.0)
            compared += there
        scores: FloatArray = balance / np.maximum(compared, 1)
        scores[: self.warm_up - 1] = np.nan
        return scores

    def _return(self, candles: Candles) -> FloatArray:
        """The return over the look-back on each bar; NaN where an end is missing."""
        from trading.quant.strategies.rolling import before

        given, close = self.parameters, candles.close
        found: FloatArray = before(close, given.skip) / before(close, given.skip + given.bars) - 1
        return found
