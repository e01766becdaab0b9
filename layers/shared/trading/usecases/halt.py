"""Halts and resumes trading."""

from __future__ import annotations

from trading.domain.books import BookChange
from trading.domain.errors import Conflict
from trading.domain.portfolio import Account, TradingState
from trading.ports import Desk
from trading.usecases.end_order import cancel_order
from trading.usecases.retry import retried


def set_trading_state(
    desk: Desk, portfolio_id: str, state: TradingState, reason: str | None
) -> Account:
    """Set the kill switch; from the next decision on it holds. Raises NotFound."""

    def once() -> Account:
        account = desk.books.account(portfolio_id)
        wanted: dict[str, object] = {"trading_state": state, "trading_state_reason": reason}
        if state is not TradingState.HALTED:
            # What the market did before is no longer shown to the orders that rest.
            wanted["trading_state_since"] = desk.books.now(account)
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
