"""How symbols vary together, estimated so that the matrix can be inverted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trading.domain.errors import InvalidInput

if TYPE_CHECKING:
    from trading.quant.allocation.bounds import FloatArray

_SINGULAR = 1e-10


def ledoit_wolf(returns: FloatArray) -> tuple[FloatArray, float]:
    """The sample covariance S (over n, bars by symbols), shrunk towards m I; and how far, 0 to 1.

    (1 - d) S + d m I with m the mean variance and d = min(b, a) / a, where
    a = |S - m I|^2 and b = sum over bars of |x x' - S|^2 / n^2, in Frobenius norms (Ledoit and
    Wolf, A well-conditioned estimator for large-dimensional covariance matrices, 2004, section 3).
    """
    import numpy as np

    bars, count = returns.shape
    centred = returns - returns.mean(axis=0)
    sample = centred.T @ centred / bars
    mean = sample.trace() / count
    target = mean * np.eye(count)
    distance = ((sample - target) ** 2).sum()
    # |x x' - S|^2 summed over bars is the sum of |x|^4 less n |S|^2, as S is the mean of x x'.
    noise = (((centred**2).sum(axis=1) ** 2).sum() / bars - (sample**2).sum()) / bars
    shrinkage = float(min(max(noise, 0.0), distance) / distance) if distance else 0.0
    return (1 - shrinkage) * sample + shrinkage * target, shrinkage


def shrunk_covariance(returns: FloatArray) -> FloatArray:
    """The Ledoit-Wolf covariance of returns, one bar's worth.

    Raises InvalidInput where it is singular all the same: some symbols move exactly as others do.
    """
    import numpy as np

    covariance, _ = ledoit_wolf(returns)
    deviation = np.sqrt(covariance.diagonal())
    correlation = covariance / np.outer(deviation, deviation)
    if np.linalg.eigvalsh(correlation)[0] < _SINGULAR:
        raise InvalidInput("symbols", "some of them move exactly as others do: leave those out")
    return covariance
