"""Backtests and sweeps over HTTPS."""

from __future__ import annotations

import json
import uuid
from typing import Annotated, Any

from fastapi import Path, Request, Response

from backtesting.jobs import start_run, start_sweep
from trading.api.app import new_router
from trading.api.idempotency import OptionalIdempotencyKey, replayable
from trading.api.listing import DEFAULT_LIMIT, Cursor, Limit, page_of
from trading.api.security import Caller, CallerDep, requires
from trading.backtesting import check_config
from trading.domain.backtest import BacktestConfig, all_in
from trading.domain.backtest_run import BacktestRun, Sweep, SweepStatus
from trading.domain.errors import Conflict, InvalidInput
from trading.domain.identifiers import derived_id
from trading.domain.risk.limits import NO_LIMITS
from trading.laboratory import laboratory
from trading.quant.search.space import Space, refuse
from trading.quant.strategies.registry import make, strategy_class
from trading.schemas.amount import json_numbers
from trading.schemas.backtests import (
    BacktestDetail,
    BacktestIn,
    BacktestOut,
    ResumeSweepIn,
    SweepDetail,
    SweepIn,
    SweepOut,
)
from trading.schemas.base import Page, Wire
from trading.telemetry import correlation_id

router = new_router()
read = requires("backtests:read")
write = requires("backtests:write")
RunId = Annotated[str, Path(alias="id", pattern=r"^bt_[0-9a-f]{32}$", description="Its id.")]
SweepId = Annotated[str, Path(alias="id", pattern=r"^sweep_[0-9a-f]{32}$", description="Its id.")]


@router.post("/backtests/sweeps", status_code=202, response_model=SweepOut, dependencies=[write])
def post_sweep(
    body: SweepIn, caller: CallerDep, request: Request, key: OptionalIdempotencyKey = None
) -> Response:
    """Try many parameters side by side; a combination that was ever computed is not again.

    Refused where there are more combinations than can be tried, with their count, time and cost.
    """

    def begin() -> tuple[int, Wire]:
        config = _config(body)
        space = json_numbers(body.space)
        wanted = Space.read(strategy_class(body.strategy), space)
        if body.method == "grid":
            wanted.grid()
        else:
            refuse(body.trials)
        now = laboratory().wall_clock()
        sweep = Sweep(
            id=_id("sweep", caller, key),
            config_text=config.canonical_json(),
            space_text=json.dumps(space, separators=(",", ":")),
            method=body.method,
            wanted=body.trials,
            seed=body.seed,
            objective=body.objective,
            max_cost=body.max_cost_usd,
            created_at=now,
            updated_at=now,
            correlation_id=correlation_id(),
        )
        kept = laboratory().experiments.add_sweep(sweep)
        start_sweep(kept)
        return 202, SweepOut.of(kept)

    return replayable(caller, request, key, body, begin)


@router.get("/backtests/sweeps", response_model=Page[SweepOut], dependencies=[read])
def get_sweeps(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Page[SweepOut]:
    """List sweeps, newest first."""
    found, following = page_of(laboratory().experiments.newest_sweeps, limit, cursor)
    return Page(items=[SweepOut.of(sweep) for sweep in found], cursor=following)


@router.get("/backtests/sweeps/{id}", response_model=SweepDetail, dependencies=[read])
def get_sweep(sweep_id: SweepId) -> SweepDetail:
    """Read a sweep: how far it is, what it has cost, how far to believe it, and its best trials."""
    sweep = laboratory().experiments.sweep(sweep_id)
    shelf = laboratory().shelf
    ranking = shelf.document(f"sweeps/{sweep_id}/ranking.json")
    files = {"trials.csv": shelf.link(f"sweeps/{sweep_id}/trials.csv")} if ranking else {}
    return SweepDetail.whole(sweep, ranking, files)


@router.post(
    "/backtests/sweeps/{id}/resume", status_code=202, response_model=SweepOut, dependencies=[write]
)
def post_resume(
    sweep_id: SweepId,
    body: ResumeSweepIn,
    caller: CallerDep,
    request: Request,
    key: OptionalIdempotencyKey = None,
) -> Response:
    """Go on with a sweep that its cap stopped, that failed, or that has not moved for half an hour.

    409 for any other.
    """

    def resume() -> tuple[int, Wire]:
        lab = laboratory()
        sweep = lab.experiments.sweep(sweep_id)
        if not sweep.resumable(lab.wall_clock()):
            raise Conflict(f"the sweep is {sweep.status}; only stopped or failed ones are resumed")
        cap = body.max_cost_usd or sweep.max_cost
        if sweep.status is SweepStatus.STOPPED and cap <= sweep.spent:
            raise InvalidInput(
                "max_cost_usd", f"must be above the US$ {sweep.spent} that it has cost so far"
            )
        again = lab.experiments.again(sweep_id, cap, sweep.attempt + 1, lab.wall_clock())
        start_sweep(again)
        return 202, SweepOut.of(again)

    return replayable(caller, request, key, body, resume)


@router.post("/backtests", status_code=202, response_model=BacktestOut, dependencies=[write])
def post_backtest(
    body: BacktestIn, caller: CallerDep, request: Request, key: OptionalIdempotencyKey = None
) -> Response:
    """Run a strategy over stored candles; read how it went under the id that is answered.

    What the same code made of the same configuration and candles before is answered from there.
    """

    def begin() -> tuple[int, Wire]:
        config = _config(body)
        make(body.strategy, config.parameters)
        now = laboratory().wall_clock()
        run = BacktestRun(
            id=_id("bt", caller, key),
            config_text=config.canonical_json(),
            created_at=now,
            updated_at=now,
            correlation_id=correlation_id(),
        )
        kept = laboratory().experiments.add_run(run)
        start_run(kept)
        return 202, BacktestOut.of(kept)

    return replayable(caller, request, key, body, begin)


@router.get("/backtests", response_model=Page[BacktestOut], dependencies=[read])
def get_backtests(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Page[BacktestOut]:
    """List backtests, newest first."""
    found, following = page_of(laboratory().experiments.newest_runs, limit, cursor)
    return Page(items=[BacktestOut.of(run) for run in found], cursor=following)


@router.get("/backtests/{id}", response_model=BacktestDetail, dependencies=[read])
def get_backtest(run_id: RunId) -> BacktestDetail:
    """Read a backtest: how far it is, its statistics, and links to its fills, curve and trips."""
    run = laboratory().experiments.run(run_id)
    if run.result_key is None:
        return BacktestDetail.whole(run, None, {})
    shelf = laboratory().shelf
    return BacktestDetail.whole(run, shelf.statistics(run.result_key), shelf.links(run.result_key))


def _id(prefix: str, caller: Caller, key: str | None) -> str:
    """An id that derives from the request's key; without one every request is its own."""
    return derived_id(prefix, caller.key_id, key or uuid.uuid4().hex)


def _config(body: BacktestIn) -> BacktestConfig:
    """The configuration that a request asks for. Raises InvalidInput naming the field."""
    lab = laboratory()
    strategy_class(body.strategy)
    instruments = {}
    for i, symbol in enumerate(body.symbols):
        instrument = lab.market.get_instrument(symbol)
        if instrument is None:
            raise InvalidInput(f"symbols.{i}", f"there is no instrument '{symbol}'")
        if not lab.history.has(symbol, body.timeframe):
            raise InvalidInput(
                f"symbols.{i}", f"there are no {body.timeframe} candles of '{symbol}'; store some"
            )
        instruments[symbol] = instrument
    plain = {"strategy", "symbols", "timeframe", "start", "end", "cash", "commission_rate"}
    plain |= {"margin", "borrow_rate", "cost_method", "gear"}
    given: dict[str, Any] = body.model_dump(include=plain)
    config = BacktestConfig(
        **given,
        parameters=json_numbers(body.parameters),
        instruments=instruments,
        base_currency=body.base_currency or instruments[body.symbols[0]].quote_currency,
        fill_model=body.fill_model.model,
        policy=_policy(body),
        limits=body.limits.limits() if body.limits else NO_LIMITS,
        funding=[rate.model_dump() for rate in body.funding],
    )
    check_config(config)
    return config


def _policy(body: BacktestIn) -> Any:
    """The policy with what the request leaves out filled in."""
    named = body.policy.model_dump(include=body.policy.model_fields_set)
    return all_in(len(body.symbols)).model_dump() | named
