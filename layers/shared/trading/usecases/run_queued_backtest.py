"""Runs one backtest that was asked for, and keeps what came of it."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

from trading.domain.backtest import BacktestConfig
from trading.domain.backtest_run import MAX_ATTEMPTS, BacktestRun, RunStatus
from trading.domain.errors import Conflict, InvalidInput, TradingError, Unavailable
from trading.quant.search.sweep import code_fingerprint
from trading.quant.statistics.backtest import key_figures, statistics_of
from trading.usecases.laboratory import Laboratory

MAX_BARS = 5_000_000
"""Bars of all symbols together that a function of 3 GB takes."""


def run_queued_backtest(lab: Laboratory, identifier: str) -> BacktestRun:
    """Run it unless it has ended, and answer how it stands then.

    What the same code made of the same configuration and candles before is not computed again.
    What the run itself does wrong ends it as failed; Unavailable is raised for another try.
    A run that the time left does not suffice for fails.
    """
    known = lab.experiments.run(identifier)
    if known.status in (RunStatus.DONE, RunStatus.FAILED):
        return known
    if known.attempts >= MAX_ATTEMPTS:
        return _end(lab, known, error=f"it was begun {MAX_ATTEMPTS} times and never ended")
    try:
        run = lab.experiments.begin_run(identifier, lab.wall_clock())
    except Conflict:
        return lab.experiments.run(identifier)
    try:
        return _run(lab, run)
    except Unavailable:
        raise
    except TradingError as error:
        return _end(lab, run, error=error.detail)


def result_key(config: BacktestConfig, data_hash: str) -> str:
    """Names a result by all that decides it: code, configuration and candles."""
    parts = (code_fingerprint(config.strategy), config.canonical_json(), data_hash)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _run(lab: Laboratory, run: BacktestRun) -> BacktestRun:
    """Compute it, or find it computed."""
    config = run.config
    market = lab.history.market(config.symbols, config.timeframe, config.start, config.end)
    bars = sum(len(candles) for candles in market.candles.values())
    if bars > MAX_BARS:
        raise InvalidInput(
            "symbols",
            f"there are {bars:,} bars, and at most {MAX_BARS:,} are run here; shorten the time, or"
            " use `trading backtest run`",
        )
    key = result_key(config, market.data_hash)
    before = lab.experiments.result(key)
    if before is not None and before.status is RunStatus.DONE:
        return _end(lab, run, **_outcome(before), result_key=key, cached=before.id != run.id)
    fixed = config.model_copy(update={"data_hash": market.data_hash})
    result = lab.simulate(fixed, market, lambda done, of: _in_time(lab.spare(), done, of))
    lab.shelf.put_result(key, lab.files_of(result, market, statistics_of(result, market)))
    lab.experiments.note_result(key, run.id)
    figures, _ = key_figures(result, market)
    return _end(
        lab,
        run,
        result_key=key,
        data_hash=market.data_hash,
        gear=result.gear.value,
        why_reference=result.why_reference,
        bars=bars,
        fills=len(result.fills),
        figures={n: None if v is None else Decimal(repr(v)) for n, v in figures.items()},
    )


def _outcome(before: BacktestRun) -> dict[str, Any]:
    """What an earlier run of the same came to."""
    names = {"data_hash", "gear", "why_reference", "bars", "fills", "figures"}
    return before.model_dump(include=names)


def _in_time(left: float | None, done: int, of: int) -> None:
    """Raise InvalidInput once there is no time left."""
    if left is not None and left <= 0 and done < of:
        raise InvalidInput(
            "end",
            f"time ran out after {done:,} of {of:,} bars; shorten the time, or use"
            " `trading backtest run`",
        )


def _end(lab: Laboratory, run: BacktestRun, **outcome: Any) -> BacktestRun:
    """Write how it ended; another worker that was faster is believed."""
    status = RunStatus.FAILED if "error" in outcome else RunStatus.DONE
    ended = run.model_copy(update={"status": status, "updated_at": lab.wall_clock(), **outcome})
    try:
        lab.experiments.end_run(ended)
    except Conflict:
        return lab.experiments.run(run.id)
    return ended
