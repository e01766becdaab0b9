"""Out-of-sample tests never see what they are tested on."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain.errors import InvalidInput
from trading.quant.search.sweep import Trial
from trading.quant.search.validation import (
    cross_validated,
    purged_folds,
    walk_forward_windows,
)


@given(st.integers(20, 300), st.integers(2, 6), st.integers(0, 3), st.integers(0, 3))
def test_folds_test_everything_once_and_train_on_nothing_near(
    periods: int, folds: int, purge: int, embargo: int
) -> None:
    tested = np.zeros(periods, int)
    for fold in purged_folds(periods, folds, purge, embargo):
        tested += fold.test
        for at in np.flatnonzero(fold.test):
            near = range(max(at - purge, 0), min(at + purge + embargo, periods - 1) + 1)
            assert not fold.train[list(near)].any()
        dropped = ~fold.train & ~fold.test
        assert dropped.sum() <= 2 * purge + embargo
    assert (tested == 1).all()


@pytest.mark.parametrize("anchored", [True, False])
def test_windows_follow_each_other_and_train_on_the_past_alone(anchored: bool) -> None:
    windows = walk_forward_windows(103, 4, 0.5, anchored=anchored)
    assert windows[-1].test_end == 103
    for one, following in itertools.pairwise(windows):
        assert one.test_end == following.train_end
    for window in windows:
        assert window.train_start < window.train_end < window.test_end
        assert (window.train_start == 0) is (anchored or window is windows[0])
    assert len({w.train_end - w.train_start for w in windows}) == (4 if anchored else 1)


@pytest.mark.parametrize("given", [(10, 11, 0, 0), (10, 1, 0, 0), (10, 2, 9, 0), (10, 2, -1, 0)])
def test_what_cannot_be_cut_is_refused(given: tuple[int, int, int, int]) -> None:
    with pytest.raises(InvalidInput):
        list(purged_folds(*given))
    with pytest.raises(InvalidInput):
        walk_forward_windows(10, 50, 0.5, anchored=True)


def test_noise_promises_more_than_it_keeps_and_an_edge_keeps_it() -> None:
    random = np.random.default_rng(1)
    noise = [Trial({"n": n}, {}, random.normal(0, 1, 500)) for n in range(40)]
    found = cross_validated(noise, 5, 2, 2, 252)
    assert found.trained_sharpe is not None
    assert found.sharpe is not None
    assert found.trained_sharpe > 1
    assert found.sharpe < found.trained_sharpe / 2
    edge = [*noise, Trial({"n": 99}, {}, random.normal(0.3, 1, 500))]
    kept = cross_validated(edge, 5, 2, 2, 252)
    assert {trial.parameters["n"] for trial in kept.chosen} == {99}
    assert kept.returns.tolist() == edge[-1].returns.tolist()
