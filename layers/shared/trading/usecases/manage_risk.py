"""Halts and resumes trading, runs stops, sizes orders and measures what could be lost."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from trading.domain.books import BookChange
from trading.domain.errors import ConcurrentUpdate, Conflict, InvalidInput
from trading.domain.order import OrderType, Side
from trading.domain.order_request import OrderRequest
from trading.domain.portfolio import Account, Portfolio, TradingState
from trading.domain.recommendation import RecommendationStatus
from trading.domain.risk.sizing import METHODS, size
from trading.domain.risk.stop import Stop, StopState
from trading.ports import Desk
from trading.quant.statistics.returns import (
    PERIODS_PER_YEAR,
    average_true_range,
    simple_returns,
    volatility_of,
)
from trading.quant.statistics.value_at_risk import MIN_OBSERVATIONS, TailRisk, VarMethod, tail_risk
from trading.usecases.end_order import cancel_order
from trading.usecases.place_order import evaluate
from trading.usecases.recommend import Proposal, save
from trading.usecases.relay_outbox import send
from trading.usecases.retry import retried

ATR_PERIOD = 14
MEASURED_BARS = 100


def set_trading_state(
    desk: Desk, portfolio_id: str, state: TradingState, reason: str | None
) -> Account:
    """Set the kill switch; from the next decision on it holds. Raises NotFound."""

    def once() -> Account:
        account = desk.books.account(portfolio_id)
        wanted = {"trading_state": state, "trading_state_reason": reason}
        after = account.model_copy(update={**wanted, "updated_at": desk.wall_clock()})
        if (account.trading_state, account.trading_state_reason) != (state, reason):
            desk.books.commit(BookChange(before=account, account=after))
        return after

    return retried(once)


def cancel_resting(desk: Desk, portfolio_id: str, reason: str) -> int:
    """Cancel every resting order of a portfolio; returns how many. Filled ones are passed over."""
    cancelled = 0
    for order in desk.orders.open():
        if order.portfolio_id != portfolio_id:
            continue
        try:
            cancel_order(desk, order.id, reason)
        except Conflict:
            # It was filled between reading the list and cancelling.
            continue
        cancelled += 1
    return cancelled


def replace_stops(desk: Desk, portfolio_id: str, wanted: Sequence[Stop]) -> list[Stop]:
    """Make ``wanted`` the armed stops of a portfolio; others that are armed are removed.

    A stop that is wanted as it stands keeps its peak. Raises NotFound, ConcurrentUpdate.
    """
    now = desk.books.now(desk.books.account(portfolio_id))
    stored = {(s.symbol, s.id): s for s in desk.risk.stops(portfolio_id)}
    asked = {(s.symbol, s.id): s for s in wanted}
    for key, stop in stored.items():
        if key not in asked and stop.state is StopState.ARMED:
            removed = {"state": StopState.REMOVED, "version": stop.version + 1, "updated_at": now}
            desk.risk.put_stop(stop.model_copy(update=removed), stop.version)
    for key, stop in asked.items():
        was = stored.get(key)
        if was and was.state is StopState.ARMED and _same_terms(was, stop):
            continue
        version = was.version if was else 0
        fresh = {"version": version + 1, "created_at": now, "updated_at": now}
        desk.risk.put_stop(stop.model_copy(update=fresh), version)
    return desk.risk.stops(portfolio_id)


def _same_terms(a: Stop, b: Stop) -> bool:
    return (a.kind, a.price, a.trail_percent) == (b.kind, b.price, b.trail_percent)


def run_stops(
    desk: Desk, portfolio_ids: Sequence[str] | None, correlation_id: str
) -> dict[str, int]:
    """Show every armed stop the latest price; one that goes off recommends one exit.

    One whose exit could not trade (halted, stale price, all units promised) stays armed.
    The exit's id derives from the stop and when it was set: however often it is seen there is one.
    The exit is saved before the stop is marked: dying in between repeats it harmlessly.
    """
    counts = {"armed": 0, "triggered": 0, "exits": 0}
    for portfolio_id in desk.portfolios.ids() if portfolio_ids is None else portfolio_ids:
        portfolio = desk.books.portfolio(portfolio_id)
        for stop in desk.risk.stops(portfolio_id):
            if stop.state is not StopState.ARMED:
                continue
            counts["armed"] += 1
            _run_stop(desk, portfolio, stop, correlation_id, counts)
    return counts


def _run_stop(
    desk: Desk, portfolio: Portfolio, stop: Stop, correlation_id: str, counts: dict[str, int]
) -> None:
    price = portfolio.prices.get(stop.symbol)
    position = portfolio.positions.get(stop.symbol)
    if price is None or position is None or position.quantity == 0:
        return
    seen = stop.observed(price.price, desk.books.now(portfolio.account))
    if seen is stop:
        return
    if seen.state is StopState.TRIGGERED:
        free = position.quantity - position.reserved_quantity
        if free <= 0 or not _leave(desk, stop, free, correlation_id):
            return
        counts["triggered"] += 1
        counts["exits"] += 1
    try:
        desk.risk.put_stop(seen, stop.version)
    except ConcurrentUpdate:
        # Changed or run by somebody else meanwhile; the next run sees what they left.
        return


def _leave(desk: Desk, stop: Stop, quantity: Decimal, correlation_id: str) -> bool:
    """Recommend a stop's one exit; False, and nothing saved, while risk would not let it trade."""
    cause = f"stop:{stop.symbol}:{stop.id}:{stop.created_at.isoformat()}"
    request = OrderRequest(
        portfolio_id=stop.portfolio_id,
        symbol=stop.symbol,
        side=Side.SELL,
        type=OrderType.MARKET,
        quantity=quantity,
        limit_price=None,
        cause=cause,
        correlation_id=correlation_id,
    )
    if not evaluate(desk, request).passed:
        return False
    proposal = Proposal(
        portfolio_id=stop.portfolio_id,
        symbol=stop.symbol,
        side=Side.SELL,
        quantity=quantity,
        cause=cause,
        source=f"stop:{stop.id}",
    )
    saved, _ = save(desk, proposal, correlation_id)
    if saved.execution_status is RecommendationStatus.PENDING:
        send(desk, [saved])
    return True


def portfolio_tail_risk(
    desk: Desk,
    portfolio: Portfolio,
    timeframe: str,
    window: int,
    confidence: float,
    horizon: int,
    method: VarMethod,
) -> tuple[TailRisk, int]:
    """Tail risk of the present holdings by historical simulation of their joint returns.

    Each of the last ``window`` bars that all held symbols share gives one profit of today's
    holdings. Returns the figures and how many bars there were. No holdings risk nothing.
    Raises InvalidInput when there are too few shared bars.
    """
    held = {s: portfolio.value_of(p) for s, p in portfolio.positions.items() if p.quantity}
    if not held:
        return TailRisk(Decimal(0), Decimal(0)), 0
    closes = {
        symbol: {
            c.time: c.close
            for c in desk.market.candles(symbol, timeframe, limit=window + 1, newest_first=True)
        }
        for symbol in held
    }
    shared = sorted(set.intersection(*(set(series) for series in closes.values())))
    if len(shared) - 1 < MIN_OBSERVATIONS:
        raise InvalidInput(
            "timeframe",
            f"the holdings share {max(0, len(shared) - 1)} {timeframe} returns,"
            f" {MIN_OBSERVATIONS} are needed",
        )
    profits = [0.0] * (len(shared) - 1)
    for symbol, value in held.items():
        returns = simple_returns([closes[symbol][moment] for moment in shared])
        profits = [p + float(value) * r for p, r in zip(profits, returns, strict=True)]
    return tail_risk(profits, confidence, horizon, method), len(profits)


def size_order(
    desk: Desk,
    portfolio_id: str,
    symbol: str,
    method: str,
    given: dict[str, Decimal],
    timeframe: str,
) -> tuple[Decimal, Decimal, dict[str, Decimal]]:
    """Size an order by a method: (quantity in whole lots, price, the inputs used).

    Volatility and ATR are measured from stored candles when not given. Raises NotFound,
    InvalidInput for a missing input, price or candles.
    """
    portfolio = desk.books.portfolio(portfolio_id)
    instrument = desk.market.get_instrument(symbol)
    price = next(iter(desk.market.latest_prices([symbol])), None)
    if instrument is None or price is None:
        raise InvalidInput("symbol", f"'{symbol}' has no instrument or no price yet")
    inputs = dict(given)
    for name in METHODS[method][0]:
        if name not in inputs and name in ("volatility", "atr"):
            inputs[name] = _measured(desk, symbol, timeframe, name)
    quantity = instrument.round_quantity(size(method, portfolio.equity, price.price, inputs))
    return quantity, price.price, inputs


def _measured(desk: Desk, symbol: str, timeframe: str, name: str) -> Decimal:
    """Annual volatility or 14-bar ATR from the newest candles."""
    newest = desk.market.candles(symbol, timeframe, limit=MEASURED_BARS, newest_first=True)
    candles = list(reversed(newest))
    value = (
        average_true_range(candles, ATR_PERIOD)
        if name == "atr"
        else volatility_of([c.close for c in candles], PERIODS_PER_YEAR[timeframe])
    )
    if not value:
        raise InvalidInput(name, f"give it, or post more {timeframe} candles of {symbol}")
    return value
