"""Luck is told from skill: worked examples, brute force, and what must hold by construction."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from trading.quant.search.overfitting import (
    backtest_overfitting,
    confidence,
    deflated_sharpe,
    expected_best_sharpe,
    probabilistic_sharpe,
)
from trading.quant.search.sweep import Trial, rank


def test_the_deflated_sharpe_ratio_of_the_papers_example() -> None:
    # Bailey and Lopez de Prado 2014: 100 trials whose annual ratios vary by 1/2, a best of 2.5 a
    # year over 1,250 days, skewness -3 and kurtosis 10: expected best 0.1132 a day, result 0.9004.
    spread = np.random.default_rng(1).normal(size=100)
    trials = (spread - spread.mean()) / spread.std(ddof=1) * np.sqrt(0.5 / 250)
    assert expected_best_sharpe(trials) == pytest.approx(0.1132, abs=5e-5)
    sure = confidence(2.5 / np.sqrt(250), 1250, -3.0, 10.0, expected_best_sharpe(trials))
    assert sure == pytest.approx(0.9004, abs=5e-5)


def test_more_trials_make_the_same_result_less_believable() -> None:
    random = np.random.default_rng(2)
    best = random.normal(0.1, 1, 500)
    few, many = random.normal(0, 0.05, 10), random.normal(0, 0.05, 1000)
    alone = probabilistic_sharpe(best)
    assert alone is not None
    assert alone > (deflated_sharpe(best, few) or 0) > (deflated_sharpe(best, many) or 0)


def test_overfitting_equals_a_plain_statement_of_it() -> None:
    returns = np.random.default_rng(3).normal(size=(60, 7))
    parts = np.split(returns, 6)
    below = []
    for chosen in combinations(range(6), 3):
        seen = np.concatenate([parts[i] for i in chosen])
        unseen = np.concatenate([parts[i] for i in range(6) if i not in chosen])
        winner = (seen.mean(0) / seen.std(0, ddof=1)).argmax()
        ratios = unseen.mean(0) / unseen.std(0, ddof=1)
        rank_of_it = (ratios < ratios[winner]).sum() + 1
        below.append(rank_of_it / 8 <= 0.5)
    assert backtest_overfitting(returns, parts=6) == pytest.approx(np.mean(below))


def test_a_real_edge_is_not_called_overfit_and_noise_is_a_coin_toss() -> None:
    random = np.random.default_rng(4)
    noise = random.normal(size=(500, 30))
    edge = noise.copy()
    edge[:, 7] += 0.4
    assert backtest_overfitting(edge) == 0
    tossed = [backtest_overfitting(random.normal(size=(200, 20))) or 0 for _ in range(20)]
    assert 0.35 < np.mean(tossed) < 0.65


def test_nothing_is_said_of_one_trial_or_without_variation() -> None:
    assert backtest_overfitting(np.zeros((100, 1))) is None
    assert backtest_overfitting(np.ones((5, 3))) is None
    assert probabilistic_sharpe(np.zeros(50)) is None


def test_a_ranking_puts_the_best_first_and_the_failed_aside() -> None:
    random = np.random.default_rng(5)
    trials = [Trial({"n": n}, {"sharpe": float(n)}, random.normal(size=50)) for n in range(4)]
    trials.append(Trial({"n": 9}, {}, np.empty(0), "no"))
    trials.append(Trial({"n": 5}, {"sharpe": None}, np.zeros(50)))
    found = rank(trials, "sharpe")
    assert [trial.parameters["n"] for trial in found.trials] == [3, 2, 1, 0, 5]
    assert [trial.error for trial in found.failed] == ["no"]
    assert found.overfitting is not None
