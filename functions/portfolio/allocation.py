"""Allocation over HTTPS, served by a function of its own that has the numeric layer."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request, Response

from trading.api.app import new_router
from trading.api.idempotency import IdempotencyKey, replayable
from trading.api.security import CallerDep, requires
from trading.desk import desk
from trading.domain.rebalance import RebalanceTerms
from trading.domain.recommendation import RecommendationStatus
from trading.schemas.allocation import AllocationIn, AllocationOut, PlannedOrder
from trading.schemas.base import PortfolioId, Wire
from trading.schemas.recommendations import RecommendationOut
from trading.schemas.risk import RuleResultOut
from trading.settings import settings
from trading.telemetry import correlation_id
from trading.usecases.allocate import Allocation, AllocationRequest, allocate

router = new_router()


@router.post(
    "/portfolio/{pid}/allocation",
    response_model=AllocationOut,
    dependencies=[requires("portfolio:write")],
)
def post_allocation(
    pid: Annotated[PortfolioId, Path(description="The portfolio's id.")],
    body: AllocationIn,
    key: IdempotencyKey,
    caller: CallerDep,
    request: Request,
) -> Response:
    """Plan the orders that reach target weights, sells first, each with its risk verdict.

    A dry run writes nothing; otherwise each order becomes a recommendation and takes the queue.
    """
    caller.check_portfolio(pid)

    def plan() -> tuple[int, Wire]:
        asked = _asked(body, f"allocation:{caller.key_id}:{key}")
        made = allocate(desk(), pid, asked, correlation_id())
        return 200, AllocationOut(
            portfolio_id=pid,
            dry_run=body.dry_run,
            weights=made.plan.weights,
            orders=_orders(made),
            left=made.plan.left,
            recommendations=[RecommendationOut.of(r) for r in made.recommendations],
        )

    return replayable(caller, request, key, body, plan)


def _asked(body: AllocationIn, cause: str) -> AllocationRequest:
    """What a body asks for."""
    return AllocationRequest(
        weights=body.weights,
        method=body.method,
        symbols=body.symbols or [],
        invest_fraction=body.invest_fraction,
        low=body.min_weight,
        high=body.max_weight,
        terms=RebalanceTerms(
            band=body.drift_band,
            band_kind=body.drift_band_kind,
            min_trade=body.min_trade,
            buffer_fraction=body.cash_buffer_fraction,
            buffer_amount=body.cash_buffer_amount,
            max_turnover=body.max_turnover,
        ),
        dry_run=body.dry_run,
        cause=cause,
        timeframe=settings().timeframe,
        window_bars=body.window_bars,
    )


def _orders(made: Allocation) -> list[PlannedOrder]:
    """The planned orders with the verdicts on them."""
    return [
        PlannedOrder(
            symbol=trade.symbol,
            side=trade.side,
            quantity=trade.quantity,
            notional=trade.notional,
            weight=trade.target.weight,
            passed=verdict.execution_status is RecommendationStatus.PENDING,
            reason=verdict.reason,
            risk=[RuleResultOut.of(r) for r in verdict.risk],
        )
        for trade, verdict in zip(made.plan.trades, made.judged, strict=True)
    ]
