"""How far the best of many trials can be believed."""

from __future__ import annotations

import math
from itertools import combinations
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trading.quant.strategies.strategy import FloatArray

EULER = 0.5772156649015329
_NORMAL = NormalDist()


def probabilistic_sharpe(returns: FloatArray, benchmark: float = 0.0) -> float | None:
    """Probability that the true Sharpe ratio per period is above ``benchmark``.

    Bailey and Lopez de Prado, The Sharpe Ratio Efficient Frontier (2012): the estimate's deviation
    takes the returns' skewness and kurtosis into account. None without variation.
    """
    import numpy as np

    count = len(returns)
    deviation = float(returns.std(ddof=1)) if count > 1 else 0.0
    if count < 3 or deviation < 1e-12:
        return None
    ratio = float(returns.mean()) / deviation
    centred = (returns - returns.mean()) / float(returns.std())
    skew, kurtosis = float(np.mean(centred**3)), float(np.mean(centred**4))
    return confidence(ratio, count, skew, kurtosis, benchmark)


def confidence(
    ratio: float, count: int, skew: float, kurtosis: float, benchmark: float
) -> float | None:
    """The same from the moments of ``count`` returns; kurtosis is 3 for normal ones."""
    variance = 1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2
    if variance <= 0:
        return None
    return _NORMAL.cdf((ratio - benchmark) * math.sqrt(count - 1) / math.sqrt(variance))


def expected_best_sharpe(trial_ratios: FloatArray) -> float:
    """The best Sharpe ratio per period that trials without any skill are expected to show.

    Bailey and Lopez de Prado, The Deflated Sharpe Ratio (2014), equation for the expected maximum
    of independent trials, from the variance of the trials' ratios.
    """
    trials = len(trial_ratios)
    if trials < 2:
        return 0.0
    deviation = float(trial_ratios.std(ddof=1))
    first = _NORMAL.inv_cdf(1 - 1 / trials)
    second = _NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return deviation * ((1 - EULER) * first + EULER * second)


def deflated_sharpe(best: FloatArray, trial_ratios: FloatArray) -> float | None:
    """Probability that the best trial is better than luck among so many trials would make it.

    ``best`` are its returns, ``trial_ratios`` the Sharpe ratios per period of all trials.
    """
    return probabilistic_sharpe(best, expected_best_sharpe(trial_ratios))


def backtest_overfitting(returns: FloatArray, parts: int = 10) -> float | None:
    """Probability of backtest overfitting, by combinatorially symmetric cross-validation.

    Bailey, Borwein, Lopez de Prado and Zhu, The Probability of Backtest Overfitting (2015):
    ``returns`` (periods by trials) are cut into an even number of parts; for every choice of half
    of them the trial with the best Sharpe ratio there is ranked on the other half. What is returned
    is how often it comes out at or below the median. None for less than two trials or too few
    periods.
    """
    import numpy as np

    periods, trials = returns.shape
    if trials < 2 or periods < 2 * parts:
        return None
    length = periods // parts
    cut = returns[: length * parts].reshape(parts, length, trials)
    sums, squares = cut.sum(axis=1), np.square(cut).sum(axis=1)
    below = []
    for chosen in combinations(range(parts), parts // 2):
        inside = np.zeros(parts, bool)
        inside[list(chosen)] = True
        seen = _ratios(sums[inside], squares[inside], length)
        unseen = _ratios(sums[~inside], squares[~inside], length)
        winner = int(seen.argmax())
        # Equal ratios share their rank, so that trials that do nothing tell nothing.
        rank = float((unseen < unseen[winner]).sum() + ((unseen == unseen[winner]).sum() + 1) / 2)
        below.append(rank / (trials + 1) <= 0.5)
    return float(np.mean(below))


def _ratios(sums: FloatArray, squares: FloatArray, length: int) -> NDArray[np.float64]:
    """Sharpe ratios per period of some parts together, 0 without variation."""
    import numpy as np

    count = len(sums) * length
    mean = sums.sum(axis=0) / count
    variance = np.maximum(squares.sum(axis=0) / count - mean**2, 0.0) * count / (count - 1)
    found: NDArray[np.float64] = np.where(
        variance > 1e-18, mean / np.sqrt(np.where(variance > 1e-18, variance, 1.0)), 0.0
    )
    return found
