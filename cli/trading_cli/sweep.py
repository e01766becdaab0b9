"""Runs many trials over processes, and keeps what was computed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from trading.backtesting import run_backtest
from trading.domain.backtest import BacktestConfig
from trading.quant.search.sweep import Trial
from trading.quant.search.trials import family_of, name_of, pack, unpack
from trading.quant.simulation.market import Market
from trading.quant.strategies.scored import LIMIT_SECONDS
from trading.usecases.try_parameters import try_parameters
from trading_cli.errors import UserError

Combinations = Sequence[Mapping[str, Any]]
CHUNK = 16
WORTH_PROCESSES = 50_000_000
"""Bars in all from which on starting processes costs less than it saves."""

_given: tuple[BacktestConfig, Market] | None = None
_limit: float | None = LIMIT_SECONDS


class Cache:
    """Trials that were computed before, one small file each, by what decides their outcome."""

    def __init__(self, folder: Path, config: BacktestConfig, market: Market) -> None:
        self._folder = folder / family_of(config, market.data_hash)

    def read(self, parameters: Mapping[str, Any]) -> Trial | None:
        """A trial that is known; None otherwise, also where its file is broken."""
        try:
            (trial,) = unpack(self._path(parameters).read_bytes())
        except (OSError, ValueError):
            return None
        return trial

    def write(self, trial: Trial) -> None:
        """Keep a trial that did not fail; whole, or not at all."""
        if trial.error is not None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(trial.parameters)
        unfinished = path.with_suffix(f".{os.getpid()}.tmp")
        unfinished.write_bytes(pack([trial]))
        unfinished.replace(path)

    def _path(self, parameters: Mapping[str, Any]) -> Path:
        key = hashlib.sha256(name_of(parameters).encode()).hexdigest()
        return self._folder / f"{key}.npz"


def sweep(
    config: BacktestConfig,
    market: Market,
    combinations: Combinations,
    cache: Cache | None = None,
    workers: int | None = None,
    told: Callable[[int], None] = lambda _: None,
) -> list[Trial]:
    """Try every combination; what the cache knows is not computed again.

    Each process holds the first trial of a strategy to the time limit.

    ``told`` hears how many more are done. Stopped half-way, it goes on from there next time.
    """
    known = {i: trial for i, c in enumerate(combinations) if cache and (trial := cache.read(c))}
    told(len(known))
    todo = [i for i in range(len(combinations)) if i not in known]
    computed = _computed(config, market, [combinations[i] for i in todo], workers)
    for i, trial in zip(todo, computed, strict=True):
        known[i] = trial
        if cache is not None:
            cache.write(trial)
        told(1)
    return [replace(known[i], parameters=c) for i, c in enumerate(combinations)]


def _computed(
    config: BacktestConfig, market: Market, combinations: Combinations, workers: int | None
) -> Iterator[Trial]:
    """The trials in order, over processes where that is worth their start."""
    count = workers or os.cpu_count() or 1
    if count == 1 or len(combinations) * len(market.times) < WORTH_PROCESSES:
        for i, combination in enumerate(combinations):
            yield try_parameters(
                run_backtest, config, market, combination, None if i else LIMIT_SECONDS
            )
        return
    pool = ProcessPoolExecutor(
        count, mp_context=get_context("spawn"), initializer=_take, initargs=(config, market)
    )
    with pool:
        yield from pool.map(_try, combinations, chunksize=CHUNK)


def _take(config: BacktestConfig, market: Market) -> None:
    """What a worker needs for every trial, sent once."""
    global _given
    _given = (config, market)


def _try(parameters: Mapping[str, Any]) -> Trial:
    """One trial in a worker."""
    if _given is None:
        raise UserError("a worker was asked before it was told what for")
    global _limit
    # The first trial shows that the strategy ends at all; watching every one would cost as much
    # as the trial itself.
    trial = try_parameters(run_backtest, *_given, parameters, _limit)
    _limit = None
    return trial


def bayesian(
    config: BacktestConfig,
    market: Market,
    space: Mapping[str, tuple[Any, ...]],
    uniform: Mapping[str, tuple[float, float]],
    objective: str,
    trials: int,
    seed: int,
    told: Callable[[int], None] = lambda _: None,
) -> Iterable[Trial]:
    """Trials that optuna's tree-structured Parzen estimator suggests, one after the other."""
    # Loaded here: only this way of searching needs it.
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    found: list[Trial] = []

    def tried(trial: Any) -> float:
        chosen = {n: trial.suggest_categorical(n, list(values)) for n, values in space.items()}
        chosen |= {n: trial.suggest_float(n, *bounds) for n, bounds in uniform.items()}
        done = try_parameters(run_backtest, config, market, chosen)
        found.append(done)
        told(1)
        value = done.figures.get(objective)
        return float("-inf") if value is None else float(value)

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(tried, n_trials=trials)
    return found
