"""The weights with which every symbol adds the same risk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trading.quant.allocation.bounds import fitted
from trading.quant.allocation.covariance import shrunk_covariance

if TYPE_CHECKING:
    from trading.quant.allocation.bounds import FloatArray

_SWEEPS = 10_000
_TOLERANCE = 1e-12


def weights(returns: FloatArray, total: float, low: FloatArray, high: FloatArray) -> FloatArray:
    """Equal risk contributions w_i (S w)_i, then brought within bounds.

    S is the shrunk covariance. Where a bound binds, contributions of the rest stay in proportion
    to their weights, as ``bounds.fitted`` has it. Raises InvalidInput for a singular S.
    """
    return fitted(equal_contributions(shrunk_covariance(returns)), total, low, high)


def equal_contributions(covariance: FloatArray) -> FloatArray:
    """Positive x, not yet scaled to a sum, with x_i (S x)_i the same for all i.

    x minimizes the strictly convex x' S x / 2 - sum(ln x_i) / n (Spinu 2013), found by cyclical
    coordinate descent: each x_i in turn is the positive root of S_ii x_i^2 + b x_i - 1/n = 0 with
    b = sum over j != i of S_ij x_j (Griveau-Billion, Richard, Roncalli 2013). Raises
    ArithmeticError if it does not settle.
    """
    import numpy as np

    deviation = np.sqrt(covariance.diagonal())
    correlation = covariance / np.outer(deviation, deviation)
    count = len(deviation)
    share = 1 / count
    x = np.full(count, 1 / np.sqrt(correlation.sum()))
    for _ in range(_SWEEPS):
        for i in range(count):
            others = correlation[i] @ x - x[i]
            x[i] = (np.sqrt(others**2 + 4 * share) - others) / 2
        if np.abs(x * (correlation @ x) - share).max() < _TOLERANCE:
            contributions: FloatArray = x / deviation
            return contributions
    raise ArithmeticError("risk parity did not settle")
