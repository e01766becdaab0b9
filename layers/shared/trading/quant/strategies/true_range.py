"""The true range of a bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trading.quant.strategies.candles import Candles, FloatArray


def true_range(candles: Candles) -> FloatArray:
    """The largest of high - low, |high - close before| and |low - close before|, in prices.

    NaN on the first bar. Wilder, New Concepts in Technical Trading Systems (1978), chapter 3.
    """
    import talib

    ranges: FloatArray = talib.TRANGE(candles.high, candles.low, candles.close)
    return ranges
