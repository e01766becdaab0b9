"""Returns and their volatility, on plain floats: series here are short."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from trading.domain.candle import Candle

PERIODS_PER_YEAR = {
    "1m": 525_600,
    "5m": 105_120,
    "15m": 35_040,
    "30m": 17_520,
    "1h": 8_760,
    "4h": 2_190,
    "1d": 365,
    "1w": 52,
}
"""Bars per year of a market that never closes; a stock's 252 days give less volatility."""

_DIGITS = 12


def simple_returns(closes: Sequence[Decimal]) -> list[float]:
    """Bar-to-bar returns, close / previous close - 1; one fewer than there are closes."""
    values = [float(close) for close in closes]
    return [b / a - 1 for a, b in pairwise(values)]


def volatility_of(closes: Sequence[Decimal], periods_per_year: int) -> Decimal | None:
    """Sample standard deviation of simple returns times sqrt(periods per year), as a fraction.

    None when there are fewer than two returns or they do not vary.
    """
    returns = simple_returns(closes)
    if len(returns) < 2:
        return None
    volatility = statistics.stdev(returns) * math.sqrt(periods_per_year)
    return Decimal(repr(round(volatility, _DIGITS))) or None


def average_true_range(candles: Sequence[Candle], period: int) -> Decimal | None:
    """Wilder's average true range (New Concepts in Technical Trading Systems, 1978).

    The first value is the mean of ``period`` true ranges, later ones move by 1/period; None with
    fewer than ``period`` + 1 candles. In the quote currency.
    """
    ranges = [
        max(bar.high, before.close) - min(bar.low, before.close)
        for before, bar in pairwise(candles)
    ]
    if len(ranges) < period:
        return None
    value = sum(map(float, ranges[:period])) / period
    for true_range in ranges[period:]:
        value += (float(true_range) - value) / period
    return Decimal(repr(round(value, _DIGITS)))
