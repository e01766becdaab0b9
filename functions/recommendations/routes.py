"""Recommendations over HTTPS."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request, Response

from trading.api.app import new_router
from trading.api.idempotency import IdempotencyKey, OptionalIdempotencyKey, replayable
from trading.api.listing import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    OfPortfolio,
    across,
    page_of,
    visible_portfolios,
)
from trading.api.problems import blaming_body
from trading.api.security import CallerDep, requires
from trading.desk import desk
from trading.domain.recommendation import Recommendation, RecommendationStatus
from trading.schemas.base import Page, Wire
from trading.schemas.recommendations import (
    ContributionOut,
    GenerateIn,
    GenerateOut,
    RecommendationDetail,
    RecommendationIn,
    RecommendationOut,
)
from trading.schemas.risk import RuleResultOut
from trading.telemetry import correlation_id
from trading.usecases.recommend import Proposal, cancel_recommendation, recommend_all, save
from trading.usecases.relay_outbox import send

router = new_router()
RecommendationId = Annotated[
    str, Path(alias="id", pattern=r"^rec_[0-9a-f]{32}$", description="The recommendation's id.")
]


@router.post(
    "/recommendations/generate",
    response_model=GenerateOut,
    dependencies=[requires("recommendations:write")],
)
def post_generate(
    body: GenerateIn, caller: CallerDep, request: Request, key: OptionalIdempotencyKey = None
) -> Response:
    """Weigh the latest signals for portfolios, save what follows and send it to execution.

    Repeating it is harmless, also without a key: the same signals recommend only once.
    """
    wanted: list[str] | None = body.portfolio_ids
    for portfolio_id in wanted or []:
        caller.check_portfolio(portfolio_id)
        desk().books.account(portfolio_id)
    if wanted is None and caller.portfolios is not None:
        wanted = sorted(caller.portfolios)

    def generate() -> tuple[int, Wire]:
        return 200, GenerateOut(**recommend_all(desk(), wanted, correlation_id()))

    return replayable(caller, request, key, body, generate)


@router.post(
    "/recommendations",
    status_code=201,
    response_model=RecommendationDetail,
    dependencies=[requires("recommendations:write")],
)
def post_recommendation(
    body: RecommendationIn, key: IdempotencyKey, caller: CallerDep, request: Request
) -> Response:
    """Recommend by hand. Risk judges it and the queue carries it, as with any other.

    One that risk rejects is kept and answered with ``execution_status`` rejected and the reason.
    """
    caller.check_portfolio(body.portfolio_id)

    def make() -> tuple[int, Wire]:
        proposal = Proposal(
            portfolio_id=body.portfolio_id,
            symbol=body.symbol,
            side=body.side,
            type=body.type,
            quantity=body.quantity,
            limit_price=body.limit_price,
            cause=f"request:{caller.key_id}:{key}",
            source=f"manual:{caller.key_id}",
            valid_until=body.valid_until,
        )
        with blaming_body():
            saved, _ = save(desk(), proposal, correlation_id())
        if saved.execution_status is RecommendationStatus.PENDING:
            send(desk(), [saved])
            saved = desk().recommendations.get(saved.id)
        return 201, _detail(saved)

    return replayable(caller, request, key, body, make)


@router.get(
    "/recommendations",
    response_model=Page[RecommendationOut],
    dependencies=[requires("recommendations:read")],
)
def get_recommendations(
    caller: CallerDep,
    portfolio_id: OfPortfolio = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[RecommendationOut]:
    """List recommendations, newest first, of one portfolio or of all that the key may see."""
    pids = visible_portfolios(caller, portfolio_id, desk().portfolios.ids)
    found, following = page_of(across(pids, desk().recommendations.newest), limit, cursor)
    return Page(items=[RecommendationOut.of(r) for r in found], cursor=following)


@router.get(
    "/recommendations/{id}",
    response_model=RecommendationDetail,
    dependencies=[requires("recommendations:read")],
)
def get_recommendation(
    recommendation_id: RecommendationId, caller: CallerDep
) -> RecommendationDetail:
    """Read one with the signals, weights and risk results that explain it."""
    return _detail(_own(recommendation_id, caller))


@router.post(
    "/recommendations/{id}/cancel",
    response_model=RecommendationOut,
    dependencies=[requires("recommendations:write")],
)
def post_cancel(recommendation_id: RecommendationId, caller: CallerDep) -> RecommendationOut:
    """Cancel one that has not reached execution; 409 once it has."""
    _own(recommendation_id, caller)
    return RecommendationOut.of(cancel_recommendation(desk(), recommendation_id))


def _own(identifier: str, caller: CallerDep) -> Recommendation:
    """Read one that the caller may see; another portfolio's looks as if it did not exist."""
    recommendation = desk().recommendations.get(identifier)
    caller.check_owns(recommendation.portfolio_id, "recommendation", identifier)
    return recommendation


def _detail(recommendation: Recommendation) -> RecommendationDetail:
    """The wire form with its explanation."""
    own = RecommendationOut.of(recommendation).model_dump(exclude={"status"})
    return RecommendationDetail(
        **own,
        contributions=[ContributionOut(**c.model_dump()) for c in recommendation.contributions],
        risk=[RuleResultOut.of(result) for result in recommendation.risk],
    )
