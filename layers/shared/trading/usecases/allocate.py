"""Moves a portfolio to target weights, through the same risk and the same queue as all else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal

from trading.domain.books import Snapshot
from trading.domain.errors import InvalidInput
from trading.domain.instrument import Instrument
from trading.domain.money import ONE, ZERO, plain
from trading.domain.order import Side
from trading.domain.order_life import place
from trading.domain.order_request import new_order
from trading.domain.portfolio import Portfolio
from trading.domain.rebalance import (
    WEIGHT_STEP,
    AllocationMethod,
    Plan,
    RebalanceTerms,
    Trade,
    plan_trades,
)
from trading.domain.recommendation import Recommendation, RecommendationStatus
from trading.ports import Desk
from trading.usecases.execute_recommendation import order_request
from trading.usecases.recommend import Proposal, judged, keep, read_for, recommendation_id
from trading.usecases.relay_outbox import send

_APART = timedelta(microseconds=1)


@dataclass(frozen=True)
class AllocationRequest:
    """Target weights (fractions of equity), or a method over symbols that finds them.

    A method invests ``invest_fraction`` of equity, on the closes of the last ``window_bars`` bars
    of ``timeframe`` that all symbols have; ``low`` and ``high`` bound symbols' weights.
    """

    weights: Mapping[str, Decimal] | None
    method: AllocationMethod | None
    symbols: Sequence[str]
    invest_fraction: Decimal
    low: Mapping[str, Decimal]
    high: Mapping[str, Decimal]
    terms: RebalanceTerms
    dry_run: bool
    cause: str
    timeframe: str
    window_bars: int

    @property
    def named(self) -> list[str]:
        """The symbols that may trade."""
        return sorted(set(self.symbols) if self.weights is None else self.weights)

    @property
    def field(self) -> str:
        """The field of the request that names the symbols."""
        return "symbols" if self.weights is None else "weights"


@dataclass(frozen=True)
class Allocation:
    """The plan, the verdict on each of its trades in turn, and what was saved of them.

    ``judged`` are the recommendations as they were judged, ``recommendations`` as they stand now;
    none of a dry run.
    """

    plan: Plan
    judged: list[Recommendation]
    recommendations: list[Recommendation]


def allocate(
    desk: Desk, portfolio_id: str, asked: AllocationRequest, correlation_id: str
) -> Allocation:
    """Plan the trades, sells first, and unless it is a dry run recommend and send them.

    Each is judged on the books as those before it will leave them, so that sells pay for buys;
    execution judges again on the books as they are then. Holdings of symbols that no weight names
    are left alone; name them with weight 0 to sell them. A symbol whose last recommendation is
    still on its way does not trade.

    Raises NotFound, InvalidInput for weights that cannot be (or cannot be found) and for a symbol
    without instrument or price, Conflict without equity, MissingRate.
    """
    instruments = _instruments(desk, asked)
    currencies = {instrument.quote_currency for instrument in instruments.values()}
    portfolio = desk.books.portfolio(portfolio_id, *currencies)
    portfolio = _with_market(desk, portfolio, asked)
    weights = _weights(desk, portfolio, asked)
    busy = _busy(desk, portfolio_id, asked.cause)
    plan = plan_trades(portfolio, instruments, weights, asked.terms, busy)
    planned = _judged(desk, portfolio, plan.trades, asked, correlation_id)
    if asked.dry_run:
        return Allocation(plan, planned, [])
    saved = [keep(desk, recommendation)[0] for recommendation in planned]
    _send_sells_first(desk, saved)
    return Allocation(plan, planned, [desk.recommendations.get(r.id) for r in saved])


def _instruments(desk: Desk, asked: AllocationRequest) -> dict[str, Instrument]:
    """The named symbols' instruments. Raises InvalidInput for a symbol that has none."""
    known = {i.symbol: i for i in desk.market.instruments()}
    for symbol in asked.named:
        if symbol not in known:
            raise InvalidInput(asked.field, f"there is no instrument '{symbol}'")
    return {symbol: known[symbol] for symbol in asked.named}


def _with_market(
    desk: Desk,
    portfolio: Portfolio,
    asked: AllocationRequest,
) -> Portfolio:
    """Add the latest prices of the symbols. Raises InvalidInput for one that has none."""
    prices = {p.symbol: p for p in desk.market.latest_prices(asked.named)}
    for symbol in asked.named:
        if symbol not in prices:
            raise InvalidInput(asked.field, f"'{symbol}' has no price yet")
    return portfolio.model_copy(update={"prices": {**portfolio.prices, **prices}})


def _weights(desk: Desk, portfolio: Portfolio, asked: AllocationRequest) -> dict[str, Decimal]:
    """The given weights, checked, or those that the method finds."""
    if asked.weights is not None:
        _check_given(desk, portfolio, asked.weights, asked.terms)
        return dict(asked.weights)
    assert asked.method is not None
    # Heavy: numpy and the solver are only in the function that serves allocations.
    from trading.quant.allocation.weigh import weigh

    closes = _closes(desk, asked)
    room = ONE
    if portfolio.equity > ZERO:
        room = max(ZERO, ONE - asked.terms.buffer(portfolio.equity) / portfolio.equity)
    total = min(asked.invest_fraction, room).quantize(WEIGHT_STEP, ROUND_DOWN)
    return weigh(asked.method, closes, total, asked.low, asked.high)


def _check_given(
    desk: Desk, portfolio: Portfolio, weights: Mapping[str, Decimal], terms: RebalanceTerms
) -> None:
    """Raise InvalidInput for weights that the portfolio cannot be brought to."""
    total = sum(weights.values(), ZERO)
    if not portfolio.account.margin:
        for symbol, weight in weights.items():
            if weight < ZERO:
                raise InvalidInput(f"weights.{symbol}", "is negative: going short needs margin")
        if total > ONE:
            raise InvalidInput("weights", f"add up to {plain(total)}, more than 1")
        return
    gross = sum((abs(w) for w in weights.values()), ZERO)
    most = desk.risk.limits(portfolio.account.portfolio_id).max_gross_leverage
    if most is not None and gross > most:
        raise InvalidInput(
            "weights",
            f"are {plain(gross)} times equity, long and short together: the limit"
            f" max_gross_leverage is {plain(most)}",
        )
    if total > ONE and (terms.buffer_fraction or terms.buffer_amount):
        raise InvalidInput("weights", "add up to more than 1: no cash buffer is left of a loan")


def _closes(desk: Desk, asked: AllocationRequest) -> dict[str, list[Decimal]]:
    """Closes of the newest bars that all symbols have in common, oldest first."""
    if asked.method is AllocationMethod.EQUAL:
        return {symbol: [] for symbol in asked.named}
    bars = asked.window_bars + 1
    found = {
        symbol: {
            candle.time: candle.close
            for candle in desk.market.candles(
                symbol, asked.timeframe, limit=bars, newest_first=True
            )
        }
        for symbol in asked.named
    }
    common = sorted(set.intersection(*(set(closes) for closes in found.values())))
    return {symbol: [closes[time] for time in common] for symbol, closes in found.items()}


def _busy(desk: Desk, portfolio_id: str, cause: str) -> set[str]:
    """Symbols with a recommendation on its way that is not this request's own."""
    return {
        r.symbol
        for r in desk.recommendations.unfinished(portfolio_id)
        if r.id != recommendation_id(portfolio_id, r.symbol, cause)
    }


def _judged(
    desk: Desk,
    portfolio: Portfolio,
    trades: Sequence[Trade],
    asked: AllocationRequest,
    correlation_id: str,
) -> list[Recommendation]:
    """Each trade as a recommendation, judged on the books as the ones before it leave them."""
    made: list[Recommendation] = []
    books, accepted = portfolio, 0
    for trade in trades:
        proposal = _proposal(portfolio.account.portfolio_id, trade, asked)
        snapshot = read_for(desk, proposal)
        # The outbox is sent by age: a microsecond apart keeps sells before the buys they pay for.
        now = made[-1].created_at + _APART if made else snapshot.now
        snapshot = snapshot.model_copy(
            update={
                "portfolio": books,
                "trades_today": snapshot.trades_today + accepted,
                "now": now,
            }
        )
        recommendation = judged(proposal, snapshot, correlation_id)
        made.append(recommendation)
        if recommendation.execution_status is RecommendationStatus.PENDING:
            books, accepted = _after(recommendation, snapshot), accepted + 1
    return made


def _after(recommendation: Recommendation, snapshot: Snapshot) -> Portfolio:
    """The books once the recommendation's order has done what it can do at the latest price."""
    change = place(new_order(order_request(recommendation), snapshot), snapshot)
    books, symbol = snapshot.portfolio, recommendation.symbol
    position = change.position or books.position(symbol, snapshot.instrument.quote_currency)
    return books.model_copy(
        update={
            "account": change.account or books.account,
            "positions": {**books.positions, symbol: position},
        }
    )


def _send_sells_first(desk: Desk, saved: Sequence[Recommendation]) -> None:
    """Send the sells, and the buys only once the queue has taken every sell.

    The queue keeps a portfolio's order, but may refuse single messages; what is not sent here
    the relay sends, oldest first.
    """
    waiting = [r for r in saved if r.execution_status is RecommendationStatus.PENDING]
    sells = [r for r in waiting if r.side is Side.SELL]
    if not send(desk, sells)["unsent"]:
        send(desk, [r for r in waiting if r.side is Side.BUY])


def _proposal(portfolio_id: str, trade: Trade, asked: AllocationRequest) -> Proposal:
    return Proposal(
        portfolio_id=portfolio_id,
        symbol=trade.symbol,
        side=trade.side,
        quantity=trade.quantity,
        cause=asked.cause,
        source="allocation",
    )
