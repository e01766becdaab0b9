"""Halts and resumes trading.

Halting needs the portfolio, orders and risk tables alone: it works while the market's data, the
queue and the recommendations are out of reach.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from trading.domain.books import BookChange
from trading.domain.errors import Conflict, TradingError, Unavailable
from trading.domain.order import Order, OrderStatus
from trading.domain.order_life import reduces
from trading.domain.portfolio import Account, TradingState
from trading.domain.recommendation import RecommendationStatus, status_by_order
from trading.domain.risk.equity_marks import EquityMarks
from trading.ports import Desk
from trading.usecases.end_order import cancel_order
from trading.usecases.retry import retried

MAX_PASSES = 5
"""How often the list of open orders is read: it may lag a moment behind the orders."""


@dataclass
class Cancelled:
    """The ids of orders that were cancelled, and why others could not be."""

    done: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def set_trading_state(
    desk: Desk, portfolio_id: str, state: TradingState, reason: str | None
) -> Account:
    """Set the kill switch; from the next decision on it holds. Raises NotFound, ConcurrentUpdate.

    Leaving a halt notes since when, so that what the market did meanwhile fills no resting order.
    """

    def once() -> Account:
        account = desk.books.account(portfolio_id)
        if (account.trading_state, account.trading_state_reason) == (state, reason):
            return account
        wanted: dict[str, object] = {"trading_state": state, "trading_state_reason": reason}
        if account.trading_state is TradingState.HALTED is not state:
            wanted["trading_state_since"] = desk.books.now(account)
        after = account.model_copy(update={**wanted, "updated_at": desk.wall_clock()})
        desk.books.commit(BookChange(before=account, account=after))
        return after

    return retried(once)


def halt(
    desk: Desk, portfolio_id: str, state: TradingState, reason: str, *, cancel: bool = True
) -> tuple[Account, Cancelled]:
    """Set the state, then cancel what it lets rest no longer.

    Returns the account as it stands after that. Repeating it is harmless and finishes what was
    left. Raises NotFound.
    """
    set_trading_state(desk, portfolio_id, state, reason)
    cancelled = cancel_resting(desk, portfolio_id, reason) if cancel else Cancelled()
    return desk.books.account(portfolio_id), cancelled


def cancel_resting(desk: Desk, portfolio_id: str, reason: str) -> Cancelled:
    """Cancel the resting orders that the trading state has no place for; one failing stops none.

    Halted, that is every one; reducing, those that would add to the risk. Those that end
    meanwhile are passed over.
    """
    account = desk.books.account(portfolio_id)
    halted = account.trading_state is TradingState.HALTED
    looked_at: set[str] = set()
    cancelled = Cancelled()
    for _ in range(MAX_PASSES):
        resting = [o for o in desk.orders.open() if o.portfolio_id == portfolio_id]
        news = [order for order in resting if order.id not in looked_at]
        for order in news:
            looked_at.add(order.id)
            try:
                if halted or _adds_risk(desk, order):
                    cancel_order(
                        desk, order.id, f"{account.trading_state}: {reason}", at_any_cost=True
                    )
                    cancelled.done.append(order.id)
            except Conflict as error:
                # One that rests no longer ended meanwhile; of the other only its venue knows.
                if order.execution_status is OrderStatus.UNKNOWN:
                    cancelled.failed[order.id] = error.detail
            except TradingError as error:
                cancelled.failed[order.id] = error.detail
        left = len(looked_at) - len(cancelled.done)
        if not news and desk.books.account(portfolio_id).open_orders <= left:
            break
    return cancelled


def _adds_risk(desk: Desk, order: Order) -> bool:
    """Whether an order could make its holding larger, as the books stand."""
    holding = desk.books.holding(order.portfolio_id, order.symbol, order.id)
    return not reduces(order, holding.portfolio)


def resume(desk: Desk, portfolio_id: str, *, rebase: bool = False) -> Account:
    """Trade again; ``rebase`` measures losses from the present equity on.

    Without it a portfolio whose losses are still over its limits trips again. Raises NotFound.
    """
    if rebase:
        retried(lambda: _rebase(desk, portfolio_id))
    account = set_trading_state(desk, portfolio_id, TradingState.ACTIVE, None)
    _catch_up(desk, portfolio_id)
    return account


def _rebase(desk: Desk, portfolio_id: str) -> None:
    """Begin peak and day anew at the present equity."""
    was = desk.risk.marks(portfolio_id)
    portfolio = desk.books.portfolio(portfolio_id)
    equity, account = portfolio.equity, portfolio.account
    marks = EquityMarks(
        peak=equity,
        day=desk.books.now(account).date(),
        day_open=equity,
        capital=account.capital,
        version=was.version + 1 if was else 0,
    )
    desk.risk.put_marks(portfolio_id, marks, was)


def _catch_up(desk: Desk, portfolio_id: str) -> None:
    """Move recommendations on whose orders were cancelled while they could not be reached."""
    try:
        waiting = desk.recommendations.unfinished(portfolio_id)
        for recommendation in waiting:
            if recommendation.execution_status is not RecommendationStatus.EXECUTING:
                continue
            if recommendation.order_id is None:
                continue
            order = desk.orders.get(recommendation.order_id)
            status = status_by_order(order.execution_status, order.filled_quantity)
            if status is not recommendation.execution_status:
                moved = recommendation.moved(status, order.updated_at, order.reason)
                desk.recommendations.move(moved, recommendation)
    except Unavailable:
        # Still out of reach; what matters, the books, is as it should be.
        return
