"""Portfolios over HTTPS."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Request, Response

from portfolio.views import ledger_page, performance_view, portfolio_view, position_views
from trading.api.app import new_router
from trading.api.idempotency import IdempotencyKey, replayable
from trading.api.listing import DEFAULT_LIMIT, Cursor, Limit, LimitOrAll, page_of_whole
from trading.api.security import CallerDep, requires
from trading.desk import desk
from trading.domain.errors import InvalidInput
from trading.domain.movement import HoldingsUpdate
from trading.schemas.base import Page, PortfolioId, UtcDatetime, Wire
from trading.schemas.portfolio import (
    HoldingsUpdateIn,
    LedgerPage,
    PerformanceOut,
    PortfolioIn,
    PortfolioOut,
    PortfolioRef,
    PositionOut,
)
from trading.settings import settings
from trading.telemetry import correlation_id
from trading.usecases.manage_portfolio import PortfolioTerms, put_portfolio
from trading.usecases.update_holdings import update_holdings

router = new_router()
Pid = Annotated[PortfolioId, Path(description="The portfolio's id.")]
read = requires("portfolio:read")
write = requires("portfolio:write")


@router.get("/portfolio", response_model=Page[PortfolioRef], dependencies=[read])
def get_portfolios(
    caller: CallerDep, limit: LimitOrAll = None, cursor: Cursor = None
) -> Page[PortfolioRef]:
    """List the portfolios that the key may see."""
    visible = [
        pid
        for pid in desk().portfolios.ids()
        if caller.portfolios is None or pid in caller.portfolios
    ]
    found, following = page_of_whole(visible, str, limit, cursor)
    return Page(items=[PortfolioRef(portfolio_id=pid) for pid in found], cursor=following)


@router.put(
    "/portfolio/{pid}",
    response_model=PortfolioOut,
    dependencies=[write],
    responses={201: {"model": PortfolioOut, "description": "Opened."}},
)
def put_portfolio_route(
    pid: Pid, body: PortfolioIn, caller: CallerDep, response: Response
) -> PortfolioOut:
    """Open a portfolio, or change the terms of an open one.

    Currency, mode, clock and opening cash are facts: asking for others is a 409. So is another cost
    method once anything was held, and an end of margin while it is in use.
    """
    caller.check_portfolio(pid)
    terms = PortfolioTerms(
        base_currency=body.base_currency,
        mode=body.mode,
        clock=body.clock,
        commission_rate=body.commission_rate,
        policy=body.policy.policy,
        cash={body.base_currency: body.cash},
        margin=body.margin,
        cost_method=body.cost_method,
        borrow_rate=body.borrow_rate,
        fill_model=body.fill_model.model,
    )
    _, opened = put_portfolio(desk(), pid, terms, correlation_id())
    if opened:
        response.status_code = 201
    return portfolio_view(desk(), pid, None, settings().timeframe)


@router.get("/portfolio/{pid}", response_model=PortfolioOut, dependencies=[read])
def get_portfolio(
    pid: Pid,
    caller: CallerDep,
    as_of: Annotated[
        UtcDatetime | None, Query(description="A past moment, answered from the ledger.")
    ] = None,
) -> PortfolioOut:
    """Cash, equity, exposure and profit, now or as of any past moment."""
    caller.check_portfolio(pid)
    return portfolio_view(desk(), pid, as_of, settings().timeframe)


@router.get("/portfolio/{pid}/positions", response_model=Page[PositionOut], dependencies=[read])
def get_positions(
    pid: Pid, caller: CallerDep, limit: LimitOrAll = None, cursor: Cursor = None
) -> Page[PositionOut]:
    """All holdings, by symbol, valued at the latest prices; closed ones keep their profit."""
    caller.check_portfolio(pid)
    whole = position_views(desk().books.portfolio(pid))
    found, following = page_of_whole(whole, lambda p: p.symbol, limit, cursor)
    return Page(items=found, cursor=following)


@router.get("/portfolio/{pid}/performance", response_model=PerformanceOut, dependencies=[read])
def get_performance(
    pid: Pid,
    caller: CallerDep,
    start: Annotated[
        UtcDatetime | None, Query(description="Measure from the first snapshot at or after it.")
    ] = None,
    end: Annotated[
        UtcDatetime | None, Query(description="Measure to the last snapshot at or before it.")
    ] = None,
) -> PerformanceOut:
    """Returns, drawdown and volatility from the equity snapshots of a period."""
    caller.check_portfolio(pid)
    if start and end and start > end:
        raise InvalidInput("start", "must not be after end")
    desk().books.account(pid)
    return performance_view(pid, desk().portfolios.equity(pid, start, end))


@router.post("/portfolio/{pid}/holdings/update", response_model=PortfolioOut, dependencies=[write])
def post_holdings_update(
    pid: Pid, body: HoldingsUpdateIn, key: IdempotencyKey, caller: CallerDep, request: Request
) -> Response:
    """Move money or units, as a new ledger transaction; nothing is overwritten.

    Deposits, withdrawals, corrections, dividends, splits, funding, borrow costs, conversions.
    """
    caller.check_portfolio(pid)

    def move() -> tuple[int, Wire]:
        fields = body.model_dump(exclude={"type"}, exclude_none=True)
        update = HoldingsUpdate(kind=body.type, cause=f"request:{caller.key_id}:{key}", **fields)
        update_holdings(desk(), pid, update, correlation_id())
        return 200, portfolio_view(desk(), pid, None, settings().timeframe)

    return replayable(caller, request, key, body, move)


@router.get("/portfolio/{pid}/ledger", response_model=LedgerPage, dependencies=[read])
def get_ledger(
    pid: Pid,
    caller: CallerDep,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    verify: Annotated[
        bool, Query(description="Check the whole ledger, and the books against it.")
    ] = False,
) -> LedgerPage:
    """The ledger, newest first: double-entry transactions chained by hash, and their check."""
    caller.check_portfolio(pid)
    return ledger_page(desk(), pid, limit, cursor, everything=verify)
