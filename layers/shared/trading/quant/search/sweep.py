"""Trials: one backtest per combination of parameters, cut down to what a ranking needs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trading.quant.search.overfitting import backtest_overfitting, deflated_sharpe
from trading.quant.statistics import ratios
from trading.quant.strategies.code import code_of
from trading.quant.strategies.registry import strategy_class

if TYPE_CHECKING:
    from trading.quant.strategies.strategy import FloatArray

OBJECTIVES = ("sharpe", "sortino", "calmar", "total_return", "profit_factor")


@dataclass(frozen=True, eq=False)
class Trial:
    """One combination: its figures and its returns per period, or why it failed."""

    parameters: Mapping[str, Any]
    figures: Mapping[str, float | int | None]
    returns: FloatArray
    error: str | None = None


@dataclass(frozen=True, eq=False)
class Ranking:
    """Trials from the best down, and how far the best can be believed.

    ``deflated_sharpe`` is the probability that the winner's Sharpe ratio is more than the luck of
    so many trials, ``overfitting`` that of backtest overfitting; None where they have no meaning.
    """

    trials: Sequence[Trial]
    failed: Sequence[Trial]
    deflated_sharpe: float | None
    overfitting: float | None


def rank(trials: Sequence[Trial], objective: str) -> Ranking:
    """Order trials by a figure, the largest first; those without one come last."""
    import numpy as np

    done = [trial for trial in trials if trial.error is None]

    def key(trial: Trial) -> tuple[bool, float]:
        value = trial.figures.get(objective)
        return (value is not None, float(value or 0.0))

    ordered = sorted(done, key=key, reverse=True)
    failed = [trial for trial in trials if trial.error is not None]
    if not ordered:
        return Ranking([], failed, None, None)
    matrix = np.stack([trial.returns for trial in done], axis=1)
    own = np.array([ratios.sharpe(trial.returns, 1) or 0.0 for trial in done])
    return Ranking(
        ordered,
        failed,
        deflated_sharpe(ordered[0].returns, own),
        backtest_overfitting(matrix),
    )


def code_fingerprint(strategy: str) -> str:
    """SHA-256 over the code that decides how a backtest ends: the platform's, the strategy's own.

    Raises InvalidInput for an unknown strategy.
    """
    own = code_of(strategy_class(strategy))
    return hashlib.sha256(f"{_platform()}{own}".encode()).hexdigest()


@cache
def _platform() -> str:
    """The same over the platform's code alone."""
    root = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for folder in ("domain", "quant", "usecases"):
        for path in sorted((root / folder).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
