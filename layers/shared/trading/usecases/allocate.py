"""Moves a portfolio to target weights, through the same risk and the same queue as all else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from trading.domain.errors import InvalidInput
from trading.domain.money import ONE, ZERO, average
from trading.domain.order import OrderType, Side
from trading.domain.order_request import OrderRequest
from trading.domain.portfolio import Portfolio
from trading.domain.recommendation import Recommendation, RecommendationStatus
from trading.domain.risk.engine import Decision
from trading.ports import Desk
from trading.quant.statistics.returns import volatility_of
from trading.usecases.place_order import evaluate
from trading.usecases.recommend import Proposal, save
from trading.usecases.relay_outbox import send

VOLATILITY_BARS = 60


@dataclass(frozen=True)
class AllocationRequest:
    """Target weights (fractions of equity), or a method over symbols that finds them."""

    weights: Mapping[str, Decimal] | None
    method: str | None
    symbols: Sequence[str]
    invest_fraction: Decimal
    min_trade: Decimal
    dry_run: bool
    cause: str
    timeframe: str


@dataclass(frozen=True)
class Planned:
    """One order of the plan, with what risk says about it on today's books."""

    symbol: str
    side: Side
    quantity: Decimal
    notional: Decimal
    decision: Decision


@dataclass(frozen=True)
class Allocation:
    """The weights aimed at, the orders that lead there, and the recommendations made of them."""

    weights: dict[str, Decimal]
    planned: list[Planned]
    recommendations: list[Recommendation]


def allocate(
    desk: Desk, portfolio_id: str, asked: AllocationRequest, correlation_id: str
) -> Allocation:
    """Plan the orders, sells first, and unless it is a dry run recommend and send them.

    Holdings of symbols that no weight names are left alone; name them with weight 0 to sell them.
    Raises NotFound, InvalidInput for a symbol without instrument, price or candles.
    """
    portfolio = desk.books.portfolio(portfolio_id)
    weights = _weights(desk, asked)
    planned = [
        plan
        for symbol, weight in sorted(weights.items())
        if (plan := _plan(desk, portfolio, symbol, weight, asked, correlation_id))
    ]
    planned.sort(key=lambda p: p.side is Side.BUY)
    if asked.dry_run:
        return Allocation(weights, planned, [])
    saved = [
        save(desk, _proposal(portfolio_id, plan, asked), correlation_id)[0] for plan in planned
    ]
    send(desk, [r for r in saved if r.execution_status is RecommendationStatus.PENDING])
    return Allocation(weights, planned, [desk.recommendations.get(r.id) for r in saved])


def _proposal(portfolio_id: str, plan: Planned, asked: AllocationRequest) -> Proposal:
    return Proposal(
        portfolio_id=portfolio_id,
        symbol=plan.symbol,
        side=plan.side,
        quantity=plan.quantity,
        cause=asked.cause,
        source="allocation",
    )


def _weights(desk: Desk, asked: AllocationRequest) -> dict[str, Decimal]:
    """The given weights, or those of the method: 1/n, or in proportion to 1/volatility."""
    if asked.weights is not None:
        return dict(asked.weights)
    symbols = sorted(set(asked.symbols))
    if asked.method == "equal":
        parts = dict.fromkeys(symbols, ONE)
    else:
        parts = {s: ONE / _volatility(desk, s, asked.timeframe) for s in symbols}
    total = sum(parts.values(), ZERO)
    return {s: average(part * asked.invest_fraction, total) for s, part in parts.items()}


def _volatility(desk: Desk, symbol: str, timeframe: str) -> Decimal:
    """Volatility of a symbol's last bars. Raises InvalidInput where there are too few."""
    candles = desk.market.candles(symbol, timeframe, limit=VOLATILITY_BARS + 1, newest_first=True)
    measured = volatility_of([c.close for c in reversed(candles)], 1)
    if not measured:
        raise InvalidInput("symbols", f"'{symbol}' has too few {timeframe} candles to measure")
    return measured


def _plan(
    desk: Desk,
    portfolio: Portfolio,
    symbol: str,
    weight: Decimal,
    asked: AllocationRequest,
    correlation_id: str,
) -> Planned | None:
    """The order that brings one holding to its weight; None if the difference is too small."""
    instrument = desk.market.get_instrument(symbol)
    if instrument is None:
        raise InvalidInput("symbols", f"there is no instrument '{symbol}'")
    mark = next(iter(desk.market.latest_prices([symbol])), None)
    if mark is None:
        raise InvalidInput("symbols", f"'{symbol}' has no price yet")
    held = portfolio.position(symbol, instrument.quote_currency)
    difference = portfolio.equity * weight - held.market_value(mark.price)
    free = held.quantity - held.reserved_quantity
    quantity = instrument.round_quantity(average(abs(difference), mark.price))
    side = Side.BUY if difference > ZERO else Side.SELL
    if side is Side.SELL:
        quantity = instrument.round_quantity(free if weight == ZERO else min(quantity, free))
    notional = quantity * mark.price
    if quantity <= ZERO or notional < asked.min_trade:
        return None
    request = OrderRequest(
        portfolio_id=portfolio.account.portfolio_id,
        symbol=symbol,
        side=side,
        type=OrderType.MARKET,
        quantity=quantity,
        limit_price=None,
        cause=asked.cause,
        correlation_id=correlation_id,
    )
    return Planned(symbol, side, quantity, notional, evaluate(desk, request))
