"""Risk over HTTPS."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from fastapi import Path, Query

from trading.api.app import new_router
from trading.api.listing import DEFAULT_LIMIT, Cursor, Limit, page_of
from trading.api.problems import blaming_body
from trading.api.security import CallerDep, requires
from trading.desk import desk
from trading.domain.errors import TradingError
from trading.domain.risk.exposure import measure_exposure
from trading.domain.risk.stop import Stop
from trading.domain.time import TIMEFRAMES
from trading.quant.statistics.value_at_risk import VarMethod
from trading.schemas.base import (
    Page,
    PortfolioId,
    Symbol,
    UtcDatetime,
    decode_cursor,
    encode_cursor,
)
from trading.schemas.limits import LimitsIn, LimitsOut
from trading.schemas.risk import (
    DecisionOut,
    EvaluateIn,
    ExposureOut,
    HaltIn,
    ResumeIn,
    SizeIn,
    SizeOut,
    StopOut,
    StopsIn,
    StopsOut,
    TailOut,
    TradingStateOut,
    VarOut,
)
from trading.settings import settings
from trading.telemetry import correlation_id, logger
from trading.usecases.halt import halt, resume
from trading.usecases.measure_tail_risk import measure_tail, portfolio_tail_risk
from trading.usecases.monitor_risk import watch_losses
from trading.usecases.place_order import evaluate
from trading.usecases.set_limits import set_limits
from trading.usecases.set_stops import replace_stops
from trading.usecases.size_order import size_order

router = new_router()
Pid = Annotated[PortfolioId, Path(description="The portfolio's id.")]
Timeframe = Annotated[
    str | None, Query(pattern=f"^({'|'.join(TIMEFRAMES)})$", description="Bar length.")
]
read = requires("risk:read")
write = requires("risk:write")


@router.get("/risk/{pid}/limits", response_model=LimitsOut, dependencies=[read])
def get_limits(pid: Pid, caller: CallerDep) -> LimitsOut:
    """The limits in force; null means not limited."""
    caller.check_portfolio(pid)
    desk().books.account(pid)
    return LimitsOut(**desk().risk.limits(pid).model_dump())


@router.put("/risk/{pid}/limits", response_model=LimitsOut, dependencies=[write])
def put_limits(pid: Pid, body: LimitsIn, caller: CallerDep) -> LimitsOut:
    """Replace all limits; what is left out or null is not limited. Repeating it is harmless."""
    caller.check_portfolio(pid)
    limits = set_limits(desk(), pid, body.limits())
    if limits.needs_marks:
        _begin_watching(pid)
    return LimitsOut(**limits.model_dump())


def _begin_watching(pid: str) -> None:
    """Note the equity that losses are measured from, which orders under a loss limit need."""
    try:
        watch_losses(desk(), [pid])
    except TradingError as error:
        # The limits hold in any case, and the schedule looks again within its minute.
        logger.warning("losses not measured yet", extra={"portfolio": pid, "why": error.detail})


@router.post("/risk/{pid}/evaluate", response_model=DecisionOut, dependencies=[read])
def post_evaluate(pid: Pid, body: EvaluateIn, caller: CallerDep) -> DecisionOut:
    """Judge an order without placing it: every rule's value, limit and sentence."""
    caller.check_portfolio(pid)
    with blaming_body():
        return DecisionOut.of(
            evaluate(desk(), body.request(pid, cause="evaluate", correlation_id=correlation_id()))
        )


@router.get("/risk/{pid}/exposure", response_model=ExposureOut, dependencies=[read])
def get_exposure(pid: Pid, caller: CallerDep) -> ExposureOut:
    """Exposure by symbol and by strategy or source, gross and net, at the latest prices."""
    caller.check_portfolio(pid)
    portfolio = desk().books.portfolio(pid)
    return ExposureOut.of(measure_exposure(portfolio, desk().books.now(portfolio.account)))


@router.get("/risk/{pid}/exposure/history", response_model=Page[ExposureOut], dependencies=[read])
def get_exposure_history(
    pid: Pid,
    caller: CallerDep,
    start: UtcDatetime | None = None,
    end: UtcDatetime | None = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[ExposureOut]:
    """What the portfolio was exposed to, as the schedule kept it, newest first."""
    caller.check_portfolio(pid)
    desk().books.account(pid)
    found, following = page_of(
        lambda count, before: desk().exposures.newest(pid, count, before, start, end),
        limit,
        cursor,
    )
    return Page(items=[ExposureOut.of(snapshot) for snapshot in found], cursor=following)


@router.get("/risk/{pid}/var", response_model=VarOut, dependencies=[read])
def get_var(
    pid: Pid,
    caller: CallerDep,
    method: VarMethod = VarMethod.HISTORICAL,
    confidence: Annotated[Decimal, Query(ge=Decimal("0.5"), le=Decimal("0.999"))] = Decimal("0.95"),
    horizon_bars: Annotated[int, Query(ge=1, le=100)] = 1,
    window: Annotated[int, Query(ge=30, le=2000, description="Bars to look back.")] = 250,
    timeframe: Timeframe = None,
) -> VarOut:
    """Value at risk and expected shortfall of the present holdings, as positive losses."""
    caller.check_portfolio(pid)
    portfolio = desk().books.portfolio(pid)
    bars = timeframe or settings().timeframe
    figures, observations = portfolio_tail_risk(
        desk(), portfolio, bars, window, float(confidence), horizon_bars, method
    )
    return VarOut(
        portfolio_id=pid,
        method=method.value,
        confidence=confidence,
        horizon_bars=horizon_bars,
        timeframe=bars,
        observations=observations,
        value_at_risk=figures.value_at_risk,
        expected_shortfall=figures.expected_shortfall,
    )


@router.post("/risk/{pid}/var/refresh", response_model=TailOut, dependencies=[write])
def post_var_refresh(pid: Pid, caller: CallerDep) -> TailOut:
    """Work out anew what value at risk of an order is judged on; the schedule does it as well."""
    caller.check_portfolio(pid)
    tail = measure_tail(desk(), pid, settings().timeframe)
    return TailOut(
        portfolio_id=pid,
        timeframe=tail.timeframe,
        as_of=tail.as_of,
        observations=len(tail.times),
        symbols=sorted(tail.quantities),
    )


@router.get("/risk/{pid}/stops", response_model=StopsOut, dependencies=[read])
def get_stops(pid: Pid, caller: CallerDep) -> StopsOut:
    """All stops, those that went off or were removed included."""
    caller.check_portfolio(pid)
    desk().books.account(pid)
    return StopsOut(stops=[StopOut.of(stop) for stop in desk().stops.of(pid)])


@router.put("/risk/{pid}/stops", response_model=StopsOut, dependencies=[write])
def put_stops(pid: Pid, body: StopsIn, caller: CallerDep) -> StopsOut:
    """Make these the armed stops. Each one that goes off makes exactly one exit order."""
    caller.check_portfolio(pid)
    now = desk().wall_clock()
    shared = {"portfolio_id": pid, "created_at": now, "updated_at": now}
    wanted = [
        Stop(**{**stop.model_dump(), **shared, "timeframe": stop.timeframe or settings().timeframe})
        for stop in body.stops
    ]
    return StopsOut(stops=[StopOut.of(stop) for stop in replace_stops(desk(), pid, wanted)])


@router.post("/risk/{pid}/size", response_model=SizeOut, dependencies=[read])
def post_size(pid: Pid, body: SizeIn, caller: CallerDep) -> SizeOut:
    """Size an order by a method, in whole lots, rounded down, and tell what the limits allow."""
    caller.check_portfolio(pid)
    given = body.model_dump(exclude={"symbol", "side", "method"}, exclude_none=True)
    sized = size_order(
        desk(), pid, body.symbol, body.side, body.method.value, given, settings().timeframe
    )
    return SizeOut(
        symbol=body.symbol,
        side=body.side,
        method=body.method,
        quantity=sized.quantity,
        allowed_quantity=sized.allowed,
        notional=sized.quantity * sized.price,
        base_notional=sized.quantity * sized.price * sized.rate,
        price=sized.price,
        inputs=sized.inputs,
    )


@router.post("/risk/{pid}/halt", response_model=TradingStateOut, dependencies=[write])
def post_halt(pid: Pid, body: HaltIn, caller: CallerDep) -> TradingStateOut:
    """Stop trading at once and, unless told otherwise, cancel the orders it leaves no place for.

    Needs the portfolio, orders and risk tables alone; repeating it is harmless, and finishes
    what ``failed_orders`` name.
    """
    caller.check_portfolio(pid)
    account, cancelled = halt(desk(), pid, body.state, body.reason, cancel=body.cancel_orders)
    return TradingStateOut.of(account, cancelled.done, cancelled.failed)


@router.post("/risk/{pid}/resume", response_model=TradingStateOut, dependencies=[write])
def post_resume(pid: Pid, caller: CallerDep, body: ResumeIn | None = None) -> TradingStateOut:
    """Trade again. A portfolio whose losses are over its limits trips again, unless rebased."""
    caller.check_portfolio(pid)
    account = resume(desk(), pid, rebase=body is not None and body.rebase)
    return TradingStateOut.of(account, [], {})


@router.get("/risk/{pid}/decisions", response_model=Page[DecisionOut], dependencies=[read])
def get_decisions(
    pid: Pid,
    caller: CallerDep,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    symbol: Annotated[Symbol | None, Query(description="Only orders for this symbol.")] = None,
    passed: Annotated[bool | None, Query(description="Only those that passed, or not.")] = None,
) -> Page[DecisionOut]:
    """The verdicts on past orders, newest first, every rule's result kept.

    A page of chosen ones may hold fewer than asked for, or none, while its cursor leads on.
    """
    caller.check_portfolio(pid)
    desk().books.account(pid)
    before = decode_cursor(cursor) if cursor else None
    found, place = desk().risk.decisions(pid, limit, before, symbol, passed)
    items = [DecisionOut.of(decision) for decision in found]
    return Page(items=items, cursor=encode_cursor(place) if place else None)
