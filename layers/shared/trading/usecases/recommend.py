"""Makes recommendations: from signals by a portfolio's policy, or from what somebody asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from trading.domain.aggregation import Opinion, aggregate
from trading.domain.books import Snapshot
from trading.domain.candle import Price
from trading.domain.errors import IllegalTransition
from trading.domain.identifiers import derived_id
from trading.domain.instrument import Instrument
from trading.domain.money import ZERO
from trading.domain.order import OrderType, Side
from trading.domain.order_life import order_context
from trading.domain.order_request import new_order
from trading.domain.portfolio import Portfolio
from trading.domain.position import Position
from trading.domain.recommendation import WAITING, Recommendation, RecommendationStatus
from trading.domain.risk.engine import judge
from trading.domain.targeting import NO_EXITS, Exits, Target, target_order
from trading.domain.trade_costs import purchase_cost
from trading.ports import Desk
from trading.usecases.each import each_portfolio
from trading.usecases.execute_recommendation import order_id_of, order_request
from trading.usecases.relay_outbox import send
from trading.usecases.retry import retried


@dataclass(frozen=True)
class Proposal:
    """What to trade and why, before risk has judged it; ``cause`` gives it its id."""

    portfolio_id: str
    symbol: str
    side: Side
    quantity: Decimal
    cause: str
    source: str
    type: OrderType = OrderType.MARKET
    limit_price: Decimal | None = None
    opinion: Opinion | None = None
    valid_until: datetime | None = None
    stop_price: Decimal | None = None
    notional: Decimal | None = None
    exits: Exits = NO_EXITS
    replaces: tuple[str, ...] | None = None

    @property
    def recommendation_id(self) -> str:
        """The id of the one recommendation that this makes."""
        return recommendation_id(self.portfolio_id, self.symbol, self.cause)


def recommend_all(
    desk: Desk, portfolio_ids: Sequence[str] | None, correlation_id: str
) -> dict[str, int]:
    """Recommend for portfolios (None: all of them) and send what was recommended.

    Returns counts: created, of which rejected by risk, sent to the queue, and how many of the
    portfolios do not exist. Raises the first failure after every portfolio had its turn.
    """
    made: list[Recommendation] = []

    def act(portfolio_id: str) -> None:
        made.extend(recommend_for(desk, portfolio_id, correlation_id))

    unknown = each_portfolio(desk, portfolio_ids, act)
    rejected = sum(r.execution_status is RecommendationStatus.REJECTED for r in made)
    waiting = [r for r in made if r.execution_status is RecommendationStatus.PENDING]
    sent = send(desk, waiting)
    return {"created": len(made), "rejected": rejected, "unknown": unknown, **sent}


def recommend_for(desk: Desk, portfolio_id: str, correlation_id: str) -> list[Recommendation]:
    """Weigh the latest signals on every symbol a portfolio trades; save what follows from them.

    A symbol whose last recommendation is still on its way, or that has a resting order, is left
    alone. The same signals never recommend twice. Raises NotFound.
    """
    portfolio = desk.books.portfolio(portfolio_id)
    policy = portfolio.account.policy
    now = desk.books.now(portfolio.account)
    busy = {r.symbol for r in desk.recommendations.unfinished(portfolio_id)}
    budget = portfolio.account.available(portfolio.account.base_currency)
    since = now - timedelta(seconds=policy.signal_max_age_seconds)
    made = []
    free = [i for i in _traded(desk, portfolio) if i.symbol not in busy]
    prices = {p.symbol: p for p in desk.market.latest_prices([i.symbol for i in free])}
    for instrument in free:
        signals = [s for s in desk.signals.latest(instrument.symbol, since) if s.time <= now]
        opinion = aggregate(signals, policy.weights)
        mark = prices.get(instrument.symbol)
        if opinion is None or mark is None:
            continue
        held = portfolio.positions.get(instrument.symbol)
        target = _target(desk, opinion, portfolio, instrument, mark, budget)
        if target is None:
            continue
        proposal = _proposal(portfolio_id, instrument.symbol, target, opinion, held)
        saved, created = save(desk, proposal, correlation_id)
        if created:
            made.append(saved)
            if saved.execution_status is RecommendationStatus.PENDING and target.side is Side.BUY:
                budget -= purchase_cost(target.quantity, mark, instrument, portfolio.account)
    return made


def _target(
    desk: Desk,
    opinion: Opinion,
    portfolio: Portfolio,
    instrument: Instrument,
    mark: Price,
    budget: Decimal,
) -> Target | None:
    """The order that the opinion asks for; units that the bracket's exits hold count as free."""
    held = portfolio.positions.get(instrument.symbol)
    promised = ZERO
    if held is not None and held.exits and held.reserved_quantity:
        # Of linked exits one is promised what both could sell; each keeps its own part.
        legs = desk.orders.some(held.exits)
        promised = sum((leg.reserved_quantity for leg in legs if leg.is_open), ZERO)
    return target_order(opinion, portfolio, instrument, mark, budget, promised)


def _proposal(
    portfolio_id: str, symbol: str, target: Target, opinion: Opinion, held: Position | None
) -> Proposal:
    """What the opinion's order is, and what it came from."""
    return Proposal(
        portfolio_id=portfolio_id,
        symbol=symbol,
        side=target.side,
        quantity=target.quantity,
        cause="signals:" + ",".join(c.signal_id for c in opinion.contributions),
        source="signals",
        type=target.type,
        limit_price=target.price if target.type is OrderType.LIMIT else None,
        stop_price=target.price if target.type is OrderType.STOP else None,
        opinion=opinion,
        notional=target.notional,
        exits=target.exits,
        replaces=held.exits if held is not None and target.closes else None,
    )


def _traded(desk: Desk, portfolio: Portfolio) -> list[Instrument]:
    """The instruments that a portfolio's policy names and its base currency pays for."""
    symbols = portfolio.account.policy.symbols
    return [
        i
        for i in desk.market.instruments()
        if (symbols is None or i.symbol in symbols)
        and i.quote_currency == portfolio.account.base_currency
    ]


def recommendation_id(portfolio_id: str, symbol: str, cause: str) -> str:
    """The id of the one recommendation on a symbol that a cause can make."""
    return derived_id("rec", portfolio_id, symbol, cause)


def save(desk: Desk, proposal: Proposal, correlation_id: str) -> tuple[Recommendation, bool]:
    """Judge a proposal and save it, pending or rejected; False if its cause made one before.

    Raises NotFound for an unknown portfolio or instrument, InvalidInput for a price off the tick.
    """
    return keep(desk, judged(proposal, read_for(desk, proposal), correlation_id))


def read_for(desk: Desk, proposal: Proposal) -> Snapshot:
    """The books as a proposal is judged on them. Raises NotFound."""
    order_id = order_id_of(proposal.portfolio_id, proposal.recommendation_id)
    links = proposal.replaces or ()
    return desk.books.snapshot(proposal.portfolio_id, proposal.symbol, order_id, *links)


def keep(desk: Desk, recommendation: Recommendation) -> tuple[Recommendation, bool]:
    """Save a judged recommendation; where its cause made one before, that one and False."""
    if desk.recommendations.create(recommendation):
        return recommendation, True
    return desk.recommendations.get(recommendation.id), False


def judged(proposal: Proposal, snapshot: Snapshot, correlation_id: str) -> Recommendation:
    """The recommendation with its risk verdict; a failed one rejects it with the rule as reason.

    Nothing is written. Raises InvalidInput for a price off the tick.
    """
    draft = _draft(proposal, snapshot, correlation_id)
    decision = judge(order_context(new_order(order_request(draft), snapshot), snapshot))
    draft = draft.model_copy(
        update={
            "risk": decision.results,
            "price": snapshot.mark.price if snapshot.mark else None,
        }
    )
    if decision.passed:
        return draft
    return draft.moved(RecommendationStatus.REJECTED, snapshot.now, decision.reason)


def _draft(proposal: Proposal, snapshot: Snapshot, correlation_id: str) -> Recommendation:
    """The recommendation before risk has judged it."""
    now = snapshot.now
    valid_for = timedelta(seconds=snapshot.portfolio.account.policy.valid_for_seconds)
    opinion = proposal.opinion
    return Recommendation(
        id=proposal.recommendation_id,
        portfolio_id=proposal.portfolio_id,
        symbol=proposal.symbol,
        side=proposal.side,
        type=proposal.type,
        quantity=proposal.quantity,
        limit_price=proposal.limit_price,
        stop_price=proposal.stop_price,
        notional=proposal.notional,
        stop_loss=proposal.exits.stop_price,
        trail_percent=proposal.exits.trail_percent,
        take_profit=proposal.exits.take_profit,
        replaces=proposal.replaces,
        source=proposal.source,
        score=opinion.score if opinion else None,
        contributions=opinion.contributions if opinion else [],
        created_at=now,
        updated_at=now,
        valid_until=proposal.valid_until or now + valid_for,
        correlation_id=correlation_id,
    )


def cancel_recommendation(desk: Desk, identifier: str) -> Recommendation:
    """Cancel one that waits; one that is cancelled already is returned as it stands.

    Raises NotFound, IllegalTransition once execution has it, ConcurrentUpdate.
    """

    def once() -> Recommendation:
        recommendation = desk.recommendations.get(identifier)
        status = recommendation.execution_status
        if status is RecommendationStatus.CANCELLED:
            return recommendation
        if status not in WAITING:
            # One whose order rests ends with that order, or the two would contradict each other.
            raise IllegalTransition(
                f"recommendation '{identifier}' is {status} and cannot be cancelled"
            )
        cancelled = recommendation.moved(RecommendationStatus.CANCELLED, desk.wall_clock())
        desk.recommendations.move(cancelled, recommendation)
        return cancelled

    return retried(once)
