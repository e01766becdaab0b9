"""Weights in proportion to one over volatility."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trading.quant.allocation.bounds import fitted

if TYPE_CHECKING:
    from trading.quant.allocation.bounds import FloatArray


def weights(returns: FloatArray, total: float, low: FloatArray, high: FloatArray) -> FloatArray:
    """Proportional to 1/sigma, sigma the sample deviation of returns, within bounds.

    This is risk parity where all correlations are equal (Maillard, Roncalli, Teiletche 2010).
    """
    return fitted(1 / returns.std(axis=0, ddof=1), total, low, high)
