"""Out-of-sample tests of a search: walk-forward, and purged, embargoed cross-validation."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from trading.domain.errors import InvalidInput
from trading.quant.search.sweep import Trial
from trading.quant.statistics import ratios

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trading.quant.strategies.strategy import FloatArray


class Window(NamedTuple):
    """Steps to choose parameters on, and the steps after them to trade the choice on."""

    train_start: int
    train_end: int
    test_end: int


def walk_forward_windows(
    steps: int, folds: int, train_share: float, *, anchored: bool
) -> list[Window]:
    """Cut a market into ``folds`` tests that follow each other, each with what came before it.

    ``train_share`` of the steps come before the first test; a rolling window keeps that length, an
    anchored one begins at the first step. Raises InvalidInput where a part would be empty.
    """
    first = int(steps * train_share)
    if folds < 1 or not 0 < train_share < 1 or first < 1 or (steps - first) // folds < 1:
        raise InvalidInput("folds", f"{steps} bars cannot be cut into {folds} folds like that")
    edges = [first + (steps - first) * i // folds for i in range(folds + 1)]
    return [
        Window(0 if anchored else test - first, test, end)
        for test, end in itertools.pairwise(edges)
    ]


class Fold(NamedTuple):
    """Which periods are trained on, and which are tested on."""

    train: NDArray[np.bool_]
    test: NDArray[np.bool_]


def purged_folds(periods: int, folds: int, purge: int, embargo: int) -> Iterator[Fold]:
    """K folds in order of time, as Lopez de Prado has them (2018, chapter 7).

    Of the periods to train on, ``purge`` before a test are dropped, since trades begun there end in
    it, and ``purge + embargo`` after it, since what happened in the test still shows there. Raises
    InvalidInput where a fold would be empty or nothing is left to train on.
    """
    import numpy as np

    if folds < 2 or periods < folds or purge < 0 or embargo < 0:
        raise InvalidInput("folds", f"{periods} periods cannot be cut into {folds} folds")
    edges = [periods * i // folds for i in range(folds + 1)]
    for start, end in itertools.pairwise(edges):
        test = np.zeros(periods, bool)
        test[start:end] = True
        train = ~test
        train[max(start - purge, 0) : start] = False
        train[end : end + purge + embargo] = False
        if not train.any():
            raise InvalidInput("purge", "leaves nothing to train on")
        yield Fold(train, test)


@dataclass(frozen=True, eq=False)
class Validated:
    """What choosing by the trained periods earned in the tested ones.

    ``returns`` are those of all tests in order of time, ``chosen`` the trial of each fold,
    ``sharpe`` is per year, ``trained_sharpe`` the mean of what the choices promised.
    """

    chosen: Sequence[Trial]
    returns: FloatArray
    sharpe: float | None
    trained_sharpe: float | None


def cross_validated(
    trials: Sequence[Trial], folds: int, purge: int, embargo: int, periods_per_year: int
) -> Validated:
    """Choose the trial with the best Sharpe ratio on each fold's training, and test it.

    Raises InvalidInput as ``purged_folds``, and without a trial that ran.
    """
    import numpy as np

    done = [trial for trial in trials if trial.error is None]
    if not done:
        raise InvalidInput("space", "no combination could be run")
    matrix = np.stack([trial.returns for trial in done], axis=1)
    chosen, tested, promised = [], np.zeros(len(matrix)), []
    for fold in purged_folds(len(matrix), folds, purge, embargo):
        seen = [ratios.sharpe(column, periods_per_year) for column in matrix[fold.train].T]
        best = int(np.argmax([-np.inf if ratio is None else ratio for ratio in seen]))
        chosen.append(done[best])
        tested[fold.test] = matrix[fold.test, best]
        if (value := seen[best]) is not None:
            promised.append(value)
    return Validated(
        chosen,
        tested,
        ratios.sharpe(tested, periods_per_year),
        float(np.mean(promised)) if promised else None,
    )
