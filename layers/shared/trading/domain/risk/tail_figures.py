"""Value at risk and expected shortfall of a series of profits and losses, exactly."""

from __future__ import annotations

import decimal
from bisect import bisect_right
from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from functools import lru_cache
from statistics import NormalDist
from typing import NamedTuple

from trading.domain.money import AVERAGE_SCALE, ZERO

MIN_OBSERVATIONS = 30
"""Fewer profits than this say nothing about a tail."""

_PRECISION = 34
_STEP = Decimal(1).scaleb(-AVERAGE_SCALE)
_SHORTFALL_STEPS = 200


class VarMethod(StrEnum):
    """How the tail is found."""

    HISTORICAL = "historical"
    PARAMETRIC = "parametric"
    CORNISH_FISHER = "cornish_fisher"


class TailFigures(NamedTuple):
    """Both figures as positive losses in the unit of the profits and losses."""

    value_at_risk: Decimal
    expected_shortfall: Decimal


def tail_figures(
    profits: Sequence[Decimal], confidence: Decimal, horizon: int, method: VarMethod
) -> TailFigures:
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
    measure = {
        VarMethod.HISTORICAL: _historical,
        VarMethod.PARAMETRIC: _parametric,
        VarMethod.CORNISH_FISHER: _cornish_fisher,
    }[method]
    with decimal.localcontext(prec=_PRECISION):
        quantile, shortfall = measure(profits, 1 - confidence)
        scale = Decimal(horizon).sqrt()
        return TailFigures(_loss(quantile * scale), _loss(shortfall * scale))


def _historical(profits: Sequence[Decimal], tail: Decimal) -> tuple[Decimal, Decimal]:
    ordered = sorted(profits)
    place = (len(ordered) - 1) * tail
    low = int(place.to_integral_value(ROUND_FLOOR))
    high = min(low + 1, len(ordered) - 1)
    quantile = ordered[low] + (ordered[high] - ordered[low]) * (place - low)
    beyond = ordered[: bisect_right(ordered, quantile)]
    return quantile, _mean(beyond) if beyond else quantile


def _parametric(profits: Sequence[Decimal], tail: Decimal) -> tuple[Decimal, Decimal]:
    mean = _mean(profits)
    deviation = (_power_sum(profits, mean, 2) / (len(profits) - 1)).sqrt()
    z, density = _normal(tail)
    return mean + z * deviation, mean - deviation * density / tail


def _cornish_fisher(profits: Sequence[Decimal], tail: Decimal) -> tuple[Decimal, Decimal]:
    count, mean = len(profits), _mean(profits)
    variance = _power_sum(profits, mean, 2) / count
    if not variance:
        return mean, mean
    deviation = variance.sqrt()
    skew = _power_sum(profits, mean, 3) / count / (variance * deviation)
    excess = _power_sum(profits, mean, 4) / count / (variance * variance) - 3

    def corrected(z: Decimal, z2: Decimal, z3: Decimal) -> Decimal:
        return (
            z
            + (z2 - 1) * skew / 6
            + (z3 - 3 * z) * excess / 24
            - (2 * z3 - 5 * z) * skew * skew / 36
        )

    z, _ = _normal(tail)
    # The correction is linear in the powers of z, so its mean is that of the powers' means.
    beyond = corrected(*_normal_moments(tail))
    return mean + corrected(z, z * z, z**3) * deviation, mean + beyond * deviation


@lru_cache(maxsize=64)
def _normal(tail: Decimal) -> tuple[Decimal, Decimal]:
    """The standard normal quantile of ``tail``, and the density there: pure numbers."""
    z = NormalDist().inv_cdf(float(tail))
    return Decimal(repr(z)), Decimal(repr(NormalDist().pdf(z)))


@lru_cache(maxsize=64)
def _normal_moments(tail: Decimal) -> tuple[Decimal, Decimal, Decimal]:
    """Means of the first three powers of the normal quantiles beyond ``tail``."""
    places = [float(tail) * (i + 0.5) / _SHORTFALL_STEPS for i in range(_SHORTFALL_STEPS)]
    quantiles = [Decimal(repr(NormalDist().inv_cdf(place))) for place in places]
    first, second, third = (_mean([q**power for q in quantiles]) for power in (1, 2, 3))
    return first, second, third


def _mean(values: Sequence[Decimal]) -> Decimal:
    return sum(values, ZERO) / len(values)


def _power_sum(profits: Sequence[Decimal], mean: Decimal, power: int) -> Decimal:
    """Sum of the powers of the distances from the mean."""
    return sum(((profit - mean) ** power for profit in profits), ZERO)


def _loss(profit: Decimal) -> Decimal:
    """A profit as a positive loss."""
    return max(ZERO, -profit).quantize(_STEP, ROUND_HALF_EVEN)
