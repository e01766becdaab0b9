"""Figures of a series of returns, in the conventions of empyrical: simple returns, ddof 1.

All take fractions per period and, where they are per year, the number of periods in one. What has
no meaning (no return, no deviation, no loss) is None.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trading.quant.strategies.strategy import FloatArray


def finite(value: float) -> float | None:
    """The value, None where it is infinite or not a number."""
    return float(value) if math.isfinite(value) else None


def over(numerator: float, denominator: float) -> float | None:
    """A quotient; None over nothing, or over what is only a rounding error."""
    return finite(numerator / denominator) if abs(denominator) > 1e-12 else None


def annual_volatility(returns: FloatArray, periods: int) -> float | None:
    """Standard deviation (ddof 1) times the root of the periods in a year."""
    return finite(returns.std(ddof=1) * math.sqrt(periods)) if len(returns) > 1 else None


def sharpe(returns: FloatArray, periods: int) -> float | None:
    """Mean over standard deviation, per year (Sharpe 1994), without a risk-free rate."""
    if len(returns) < 2:
        return None
    ratio = over(float(returns.mean()), float(returns.std(ddof=1)))
    return None if ratio is None else ratio * math.sqrt(periods)


def sortino(returns: FloatArray, periods: int) -> float | None:
    """Mean over the root mean square of the losses, over all periods, per year (Sortino 1994)."""
    import numpy as np

    if not len(returns):
        return None
    downside = math.sqrt(float(np.square(np.minimum(returns, 0.0)).mean()))
    ratio = over(float(returns.mean()), downside)
    return None if ratio is None else ratio * math.sqrt(periods)


def omega(returns: FloatArray) -> float | None:
    """Sum of the gains over the sum of the losses (Keating and Shadwick 2002, threshold 0)."""
    return over(float(returns[returns > 0].sum()), -float(returns[returns < 0].sum()))


def value_at_risk(returns: FloatArray, confidence: float = 0.95) -> float | None:
    """The return that is undercut in 1 - confidence of the periods, linearly between two."""
    import numpy as np

    return finite(float(np.quantile(returns, 1 - confidence))) if len(returns) else None


def expected_shortfall(returns: FloatArray, confidence: float = 0.95) -> float | None:
    """Mean of the returns at or below the value at risk (conditional value at risk)."""
    cutoff = value_at_risk(returns, confidence)
    return None if cutoff is None else finite(returns[returns <= cutoff].mean())


def greeks(
    returns: FloatArray, benchmark: FloatArray, periods: int
) -> tuple[float | None, float | None]:
    """Alpha per year (Jensen 1968, compounded) and beta against a benchmark's returns."""
    if len(returns) < 2:
        return None, None
    spread = benchmark - benchmark.mean()
    beta = over(float((spread * (returns - returns.mean())).sum()), float((spread * spread).sum()))
    if beta is None:
        return None, None
    excess = float(returns.mean() - beta * benchmark.mean())
    return finite((1 + excess) ** periods - 1) if excess > -1 else None, beta


def information_ratio(returns: FloatArray, benchmark: FloatArray, periods: int) -> float | None:
    """Mean over standard deviation of the return beyond the benchmark's, per year."""
    return sharpe(returns - benchmark, periods)
