"""The weights whose portfolio varies least."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trading.quant.allocation.covariance import shrunk_covariance

if TYPE_CHECKING:
    from trading.quant.allocation.bounds import FloatArray

_SOLVED = 1
_EQUALITY = 5


def weights(returns: FloatArray, total: float, low: FloatArray, high: FloatArray) -> FloatArray:
    """Minimize w' S w with sum(w) = total and low <= w <= high (Markowitz 1952).

    S is the shrunk covariance; the quadratic program is solved by DAQP's dual active-set method
    (Arnstrom, Bemporad, Axehill 2022). Raises InvalidInput for a singular S, ArithmeticError where
    the solver finds nothing.
    """
    import daqp
    import numpy as np

    covariance = shrunk_covariance(returns)
    count = len(low)
    kinds = np.array([0] * count + [_EQUALITY], dtype=np.int32)
    found, _, flag, _ = daqp.solve(
        covariance / covariance.diagonal().mean(),  # the solver's tolerances are for values near 1
        np.zeros(count),
        np.ones((1, count)),
        np.append(high, total),
        np.append(low, total),
        kinds,
    )
    if flag != _SOLVED:
        raise ArithmeticError(f"the quadratic program was not solved (exit {flag})")
    return np.clip(np.asarray(found, dtype=np.float64), low, high)
