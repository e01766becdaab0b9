"""Keeps weights between their lowest and highest values, and exact."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING

from trading.domain.money import ZERO
from trading.domain.rebalance import WEIGHT_STEP

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

_HALVINGS = 200


def fitted(parts: FloatArray, total: float, low: FloatArray, high: FloatArray) -> FloatArray:
    """Weights in proportion to positive ``parts`` that add up to ``total`` within bounds.

    They are min(max(s * part, low), high) with the one s that gives the sum, which grows with s
    and is found by halving. The bounds must leave room: sum(low) <= total <= sum(high).
    """
    import numpy as np

    least, most = 0.0, float((high / parts).max())
    for _ in range(_HALVINGS):
        scale = (least + most) / 2
        if np.clip(scale * parts, low, high).sum() < total:
            least = scale
        else:
            most = scale
    bounded: FloatArray = np.clip(most * parts, low, high)
    return bounded


def exact(
    weights: Sequence[float], total: Decimal, low: Sequence[Decimal], high: Sequence[Decimal]
) -> list[Decimal]:
    """Weights as decimals of eight places, rounded down, within bounds, at most ``total`` together.

    ``total`` and bounds have at most eight places themselves.
    """
    rounded = [
        min(max(Decimal(weight).quantize(WEIGHT_STEP, ROUND_DOWN), least), most)
        for weight, least, most in zip(weights, low, high, strict=True)
    ]
    # What a solver's tolerance or a float added too much comes off where there is most room.
    excess = sum(rounded, ZERO) - total
    if excess > ZERO:
        place = max(range(len(rounded)), key=lambda i: rounded[i] - low[i])
        rounded[place] -= excess
    return rounded
