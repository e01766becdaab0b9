"""A sweep in three steps, each short enough for a function: plan, chunks side by side, ranking.

What a step reads it finds in the stores, so that each may be repeated, run late, or be started by
another attempt. What was computed once, by any sweep, is not computed again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from trading.domain.backtest_run import Sweep, SweepStatus
from trading.domain.errors import InvalidInput, TradingError, Unavailable
from trading.quant.search.space import Space
from trading.quant.search.sweep import Ranking, Trial, rank
from trading.quant.search.trials import family_of, name_of
from trading.quant.simulation.market import Market
from trading.quant.strategies.registry import strategy_class
from trading.quant.strategies.scored import LIMIT_SECONDS
from trading.usecases.laboratory import Laboratory
from trading.usecases.try_parameters import try_parameters

SIDE_BY_SIDE = 8
"""How many chunks the state machine runs at once; the template says so too."""
CHUNK_SECONDS = 30.0
"""About how long a chunk should compute: long against its start, short against its time limit."""
WORTH_A_CHUNK = 2.0
"""Seconds of work that are worth another function."""
MAX_BARS = 1_000_000
"""Bars of all symbols together that a chunk's function takes."""
MAX_RETURNS = 25_000_000
"""Returns of all trials together that the ranking's function takes."""
SHOWN = 100
"""How many trials a ranking lists; all of them are in its table."""

Parameters = Mapping[str, Any]
_NO_WORK = {"chunks": 0, "key": "", "rank": False}
"""What a plan answers that nothing follows from."""


def combinations_of(sweep: Sweep) -> list[dict[str, Any]]:
    """What a sweep tries, always in the same order: its own parameters where the space has none.

    Raises InvalidInput.
    """
    config = sweep.config
    space = Space.read(strategy_class(config.strategy), sweep.space)
    drawn = sweep.method == "random"
    tried = space.drawn(sweep.wanted, sweep.seed) if drawn else space.grid()
    return [{**config.parameters, **each} for each in tried]


def plan(lab: Laboratory, identifier: str, attempt: int) -> dict[str, Any]:
    """Find out what is left to try, and cut it into chunks of about the same time.

    Answers the state machine: how many ``chunks``, the ``key`` of the document that lists them, and
    whether there is anything to ``rank``. The first trial is run here, so that a chunk's size and
    its price rest on a measurement.
    """
    began = lab.elapsed()
    sweep = lab.experiments.begin_sweep(identifier, attempt, lab.wall_clock())
    if sweep is None:
        return _NO_WORK
    try:
        found = _planned(lab, sweep)
    except Unavailable:
        raise
    except TradingError as error:
        fail(lab, identifier, attempt, error.detail)
        return _NO_WORK
    lab.experiments.settle(identifier, lab.dollars(lab.elapsed() - began))
    return found


def _planned(lab: Laboratory, sweep: Sweep) -> dict[str, Any]:
    """Read the candles, leave out what is known, measure one trial, write the chunks down."""
    config = sweep.config
    market = lab.history.market(config.symbols, config.timeframe, config.start, config.end)
    wanted = combinations_of(sweep)
    _refuse_too_much(market, len(wanted))
    known = _known(lab, sweep, market, wanted)
    todo = [each for each in wanted if name_of(each) not in known]
    now = lab.wall_clock()
    facts = {"trials": len(wanted), "known": len(known), "data_hash": market.data_hash}
    if not todo:
        lab.experiments.note_sweep(sweep.id, now, facts | {"chunks": 0})
        return {"chunks": 0, "key": "", "rank": True}
    lab.shelf.put_market(market)
    seconds = _measured(lab, sweep, market, todo[0])
    chunks = list(_cut(todo, seconds))
    lab.shelf.put_document(
        _chunks_key(sweep.id, sweep.attempt),
        [{"seconds": seconds * len(part), "combinations": part} for part in chunks],
    )
    items = f"sweeps/{sweep.id}/{sweep.attempt}-items.json"
    lab.shelf.put_document(items, [{"number": n} for n in range(len(chunks))])
    expected = lab.dollars(seconds) * len(todo)
    lab.experiments.note_sweep(
        sweep.id, now, facts | {"chunks": len(chunks), "estimated_cost": expected}
    )
    return {"chunks": len(chunks), "key": items, "rank": True}


def _chunks_key(identifier: str, attempt: int) -> str:
    """The document that holds what every chunk of an attempt is to compute."""
    return f"sweeps/{identifier}/{attempt}-chunks.json"


def _refuse_too_much(market: Market, trials: int) -> None:
    """Raise InvalidInput for what does not fit into a function."""
    bars = sum(len(candles) for candles in market.candles.values())
    if bars > MAX_BARS:
        raise InvalidInput(
            "symbols",
            f"there are {bars:,} bars, and a sweep here takes at most {MAX_BARS:,}; shorten the"
            " time, or use `trading backtest sweep`",
        )
    returns = trials * len(market.period_ends)
    if returns > MAX_RETURNS:
        raise InvalidInput(
            "space",
            f"has {trials:,} combinations over {len(market.period_ends):,} days, and a ranking"
            f" here takes {MAX_RETURNS:,} returns; take fewer values, or use"
            " `trading backtest sweep`",
        )


def _known(lab: Laboratory, sweep: Sweep, market: Market, wanted: Sequence[Parameters]) -> set[str]:
    """The names of the wanted trials that were computed before, and did not fail."""
    names = {name_of(each) for each in wanted}
    family = family_of(sweep.config, market.data_hash)
    done = (name_of(t.parameters) for t in lab.shelf.trials(family) if t.error is None)
    return names & set(done)


def _measured(lab: Laboratory, sweep: Sweep, market: Market, parameters: Parameters) -> float:
    """Seconds that one trial takes; the second of two, since the first also loads code."""
    took = 0.0
    for limit in (LIMIT_SECONDS, None):
        began = lab.elapsed()
        trial = try_parameters(lab.simulate, sweep.config, market, parameters, limit)
        took = lab.elapsed() - began
        if trial.error is not None or took > WORTH_A_CHUNK:
            break
    return max(took, 1e-4)


def _cut(todo: Sequence[Parameters], seconds: float) -> Iterable[Sequence[Parameters]]:
    """Cut into chunks: long enough to be worth one, spread over all that run side by side."""
    longest = max(1, int(CHUNK_SECONDS / seconds))
    worth = max(1, int(WORTH_A_CHUNK / seconds))
    size = min(longest, max(worth, math.ceil(len(todo) / SIDE_BY_SIDE)))
    return (todo[i : i + size] for i in range(0, len(todo), size))


def compute(lab: Laboratory, identifier: str, attempt: int, number: int) -> dict[str, Any]:
    """Compute one chunk, if there is money for it, and keep what came of it.

    What time does not suffice for is left to another attempt.
    """
    began = lab.elapsed()
    sweep = lab.experiments.sweep(identifier)
    chunks = lab.shelf.document(_chunks_key(identifier, attempt))
    if sweep.attempt != attempt or sweep.status is not SweepStatus.RUNNING or chunks is None:
        return {"tried": 0}
    chunk = chunks[number]
    expected = lab.dollars(chunk["seconds"])
    if sweep.out_of_money or not lab.experiments.reserve(sweep, expected):
        return {"tried": 0}
    config = sweep.config
    market = lab.shelf.market(sweep.data_hash or "", config.timeframe)
    trials: list[Trial] = []
    longest = 0.0
    for parameters in chunk["combinations"]:
        left = lab.spare()
        if left is not None and left < 3 * longest:
            break
        started = lab.elapsed()
        # The first trial shows that the strategy ends at all.
        limit = None if trials else LIMIT_SECONDS
        trials.append(try_parameters(lab.simulate, config, market, parameters, limit))
        longest = max(longest, lab.elapsed() - started)
    family = family_of(config, market.data_hash)
    lab.shelf.put_trials(family, f"{identifier}-{attempt}-{number}", trials)
    failed = sum(trial.error is not None for trial in trials)
    lab.experiments.count_chunk(sweep, number, len(trials), failed, lab.wall_clock())
    lab.experiments.settle(identifier, lab.dollars(lab.elapsed() - began) - expected)
    return {"tried": len(trials)}


def conclude(lab: Laboratory, identifier: str, attempt: int) -> dict[str, Any]:
    """Rank what was computed, and say whether that is all."""
    began = lab.elapsed()
    sweep = lab.experiments.sweep(identifier)
    if sweep.attempt != attempt or sweep.data_hash is None:
        return {"status": sweep.status.value}
    wanted = combinations_of(sweep)
    family = family_of(sweep.config, sweep.data_hash)
    found: dict[str, Trial] = {}
    for trial in lab.shelf.trials(family):
        name = name_of(trial.parameters)
        if name not in found or trial.error is None:
            found[name] = trial
    tried = [found[name] for name in map(name_of, wanted) if name in found]
    ranking = rank(tried, sweep.objective)
    lab.shelf.put_document(f"sweeps/{identifier}/ranking.json", _document(ranking, sweep))
    lab.shelf.put_file(f"sweeps/{identifier}/trials.csv", lab.table(_columns(ranking)))
    status, error = _verdict(sweep, len(wanted) - len(tried), ranking)
    lab.experiments.settle(identifier, lab.dollars(lab.elapsed() - began))
    known = {"status": status, "failed": len(ranking.failed)}
    lab.experiments.note_sweep(
        identifier, lab.wall_clock(), known | ({"error": error} if error else {})
    )
    return {"status": status.value}


def fail(lab: Laboratory, identifier: str, attempt: int, why: str) -> None:
    """End an attempt that cannot go on."""
    sweep = lab.experiments.sweep(identifier)
    if sweep.attempt == attempt and sweep.status in (SweepStatus.QUEUED, SweepStatus.RUNNING):
        known = {"status": SweepStatus.FAILED, "error": why}
        lab.experiments.note_sweep(identifier, lab.wall_clock(), known)


def _verdict(sweep: Sweep, missing: int, ranking: Ranking) -> tuple[SweepStatus, str | None]:
    """How a sweep ended, and why if not well."""
    if missing and sweep.out_of_money:
        return SweepStatus.STOPPED, (
            f"the cap of US$ {sweep.max_cost} stopped it with {missing:,} combinations left; resume"
            " it with a higher cap"
        )
    if missing:
        return SweepStatus.FAILED, f"{missing:,} combinations were not computed; resume it"
    if not ranking.trials:
        return SweepStatus.FAILED, f"no combination could be run: {ranking.failed[0].error}"
    return SweepStatus.DONE, None


def _document(ranking: Ranking, sweep: Sweep) -> dict[str, Any]:
    """A ranking as it is kept: how far to believe it first, then the best."""
    return {
        "objective": sweep.objective,
        "trials": len(ranking.trials),
        "deflated_sharpe": ranking.deflated_sharpe,
        "overfitting": ranking.overfitting,
        "failed": len(ranking.failed),
        "failures": list(dict.fromkeys(str(t.error) for t in ranking.failed))[:5],
        "best": [
            {"parameters": dict(t.parameters), "figures": dict(t.figures)}
            for t in ranking.trials[:SHOWN]
        ],
    }


def _columns(ranking: Ranking) -> dict[str, list[Any]]:
    """Every trial, from the best down, failed ones last."""
    every = [*ranking.trials, *ranking.failed]
    parameters = list(dict.fromkeys(name for t in every for name in t.parameters))
    figures = list(dict.fromkeys(name for t in every for name in t.figures))
    columns: dict[str, list[Any]] = {n: [t.parameters.get(n) for t in every] for n in parameters}
    columns |= {name: [t.figures.get(name) for t in every] for name in figures}
    return columns | {"error": [t.error for t in every]}
