"""Value at risk and expected shortfall worked out apart, in floats, to hold the exact ones to."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from trading.domain.risk.tail import MIN_OBSERVATIONS, VarMethod


@dataclass(frozen=True)
class TailRisk:
    """Both figures as positive losses in the unit of the profits and losses."""

    value_at_risk: Decimal
    expected_shortfall: Decimal


def tail_risk(
    profits: Sequence[float], confidence: float, horizon: int, method: VarMethod
) -> TailRisk:
    """Measure the tail of one-bar ``profits``, scaled to ``horizon`` bars by its square root.

    Historical: the empirical quantile with linear interpolation (Hyndman and Fan, type 7) and the
    mean of what is at or beyond it. Parametric: the normal quantile, shortfall
    sigma * phi(z) / (1 - confidence) - mu (McNeil, Frey, Embrechts, Quantitative Risk Management,
    2.3). Cornish-Fisher: the quantile corrected for skewness and excess kurtosis (Zangari 1996),
    its shortfall the mean of such quantiles beyond the confidence. Figures are never below zero.
    Raises ValueError for fewer than ``MIN_OBSERVATIONS`` profits.
    """
    if len(profits) < MIN_OBSERVATIONS:
        raise ValueError(f"needs at least {MIN_OBSERVATIONS} observations, has {len(profits)}")
    tail = 1 - confidence
    if method is VarMethod.HISTORICAL:
        quantile = _quantile(sorted(profits), tail)
        beyond = [p for p in profits if p <= quantile]
        shortfall = statistics.fmean(beyond) if beyond else quantile
    elif method is VarMethod.PARAMETRIC:
        mean, deviation = statistics.fmean(profits), statistics.stdev(profits)
        z = statistics.NormalDist().inv_cdf(tail)
        quantile = mean + z * deviation
        shortfall = mean - deviation * statistics.NormalDist().pdf(z) / tail
    else:
        quantile = _cornish_fisher(profits, tail)
        steps = 200
        beyond = [_cornish_fisher(profits, tail * (i + 0.5) / steps) for i in range(steps)]
        shortfall = statistics.fmean(beyond)
    scale = math.sqrt(horizon)
    return TailRisk(_loss(quantile * scale), _loss(shortfall * scale))


def _quantile(ordered: Sequence[float], fraction: float) -> float:
    """Empirical quantile with linear interpolation."""
    # What floats add to a whole place would move the value that stands there out of the tail.
    place = round((len(ordered) - 1) * fraction, 9)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _cornish_fisher(profits: Sequence[float], tail: float) -> float:
    """The normal quantile corrected for the sample's skewness and excess kurtosis."""
    mean, deviation = statistics.fmean(profits), statistics.pstdev(profits)
    if deviation == 0:
        return mean
    standard = [(p - mean) / deviation for p in profits]
    skew = statistics.fmean(s**3 for s in standard)
    kurtosis = statistics.fmean(s**4 for s in standard) - 3
    z = statistics.NormalDist().inv_cdf(tail)
    corrected = (
        z
        + (z**2 - 1) * skew / 6
        + (z**3 - 3 * z) * kurtosis / 24
        - (2 * z**3 - 5 * z) * skew**2 / 36
    )
    return mean + corrected * deviation


def _loss(profit: float) -> Decimal:
    """A profit as a positive loss, to eight decimals."""
    return Decimal(repr(round(max(0.0, -profit), 8)))
