"""Decisions on a portfolio's books, each as one change that is written whole or not at all.

The functions here are pure: they take what was read and return a ``BookChange``. An adapter
writes it under the condition that the account is still at the version that was read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal

from pydantic import ConfigDict, Field

from trading.domain.candle import Price
from trading.domain.identifiers import derived_id
from trading.domain.instrument import Instrument
from trading.domain.ledger import (
    Entry,
    LedgerTransaction,
    TransactionKind,
    apply_to_position,
    fill_entries,
    sums_by_commodity,
)
from trading.domain.matching import arrival_price
from trading.domain.money import ZERO, fee_amount, with_commission
from trading.domain.order import Fill, Order, OrderStatus, Side
from trading.domain.portfolio import Account, Portfolio
from trading.domain.position import Position
from trading.domain.recommendation import Recommendation, status_by_order
from trading.domain.risk.engine import Decision, judge
from trading.domain.risk.limits import RiskLimits
from trading.domain.risk.rule import OrderContext
from trading.domain.value import Value


class Snapshot(Value):
    """All that a decision on one order of one portfolio is made from, as read at one moment.

    ``existing`` is the order with the id in question, if it was made before.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    portfolio: Portfolio
    instrument: Instrument
    limits: RiskLimits
    trades_today: int
    existing: Order | None
    now: datetime

    @property
    def mark(self) -> Price | None:
        """The latest price of the instrument in question."""
        return self.portfolio.prices.get(self.instrument.symbol)


class BookChange(Value):
    """What one decision changes. ``before`` is the account as read; its version guards the write.

    ``account`` is None where money, positions and resting orders stay as they are (a rejection).
    ``counted_on`` is the day whose order counter moves by one, up to ``daily_cap``.
    ``order_was`` and ``recommendation_was`` are the states before (None: newly made).
    ``marker`` names a cause that must not have been acted on before.
    """

    before: Account
    account: Account | None = None
    position: Position | None = None
    order: Order | None = None
    order_was: Order | None = None
    fill: Fill | None = None
    transaction: LedgerTransaction | None = None
    decision: Decision | None = None
    limits_version: int | None = None
    counted_on: date | None = None
    daily_cap: int | None = None
    recommendation: Recommendation | None = None
    recommendation_was: Recommendation | None = None
    marker: str | None = None


class Posting(Value):
    """What a ledger transaction says beside its place in the chain."""

    kind: TransactionKind
    cause: str
    entries: tuple[Entry, ...]
    currency: str
    symbol: str | None = None
    note: str | None = None
    time: datetime
    recorded_at: datetime
    correlation_id: str = Field(default="")


def place(order: Order, snapshot: Snapshot, recommendation: Recommendation | None) -> BookChange:
    """Judge a new order and return what follows: rejected, filled at once, or resting."""
    decision = judge(order_context(order, snapshot))
    account = snapshot.portfolio.account
    if not decision.passed:
        order = order.moved(OrderStatus.REJECTED, snapshot.now, decision.reason)
        change = BookChange(before=account, order=order, decision=decision)
        return _with_recommendation(change, recommendation, snapshot.now)
    mark = snapshot.mark
    price = arrival_price(order, mark.price) if mark else None
    if price is None:
        change = rest(order, snapshot)
    else:
        change = fill(order, None, price, snapshot.portfolio, snapshot.now)
    change = change.model_copy(
        update={
            "decision": decision,
            "limits_version": snapshot.limits.version,
            "counted_on": snapshot.now.date(),
            "daily_cap": snapshot.limits.max_daily_trades,
        }
    )
    return _with_recommendation(change, recommendation, snapshot.now)


def order_context(order: Order, snapshot: Snapshot) -> OrderContext:
    """What the risk rules look at for this order."""
    return OrderContext(
        order=order,
        instrument=snapshot.instrument,
        portfolio=snapshot.portfolio,
        limits=snapshot.limits,
        mark=snapshot.mark,
        trades_today=snapshot.trades_today,
        now=snapshot.now,
    )


def rest(order: Order, snapshot: Snapshot) -> BookChange:
    """Accept a limit order that cannot trade yet, and promise it its cash or its units."""
    account = snapshot.portfolio.account
    held = snapshot.portfolio.position(order.symbol, order.currency)
    notional = order.quantity * (order.limit_price or ZERO)
    if order.side is Side.BUY:
        cash = with_commission(notional, account.commission_rate)
        order = order.model_copy(update={"reserved_cash": cash})
    accepted = order.moved(OrderStatus.ACCEPTED, snapshot.now)
    return BookChange(
        before=account,
        account=_reserved(account, accepted, 1, snapshot.now),
        position=_promised(held, accepted, 1),
        order=accepted,
    )


def fill(
    order: Order, was: Order | None, price: Decimal, portfolio: Portfolio, now: datetime
) -> BookChange:
    """Trade all that remains of an order at ``price``; ``was`` is the stored order if it rested."""
    account = portfolio.account
    quantity = order.remaining
    execution = Fill(
        id=derived_id("fill", order.id, "1"),
        order_id=order.id,
        portfolio_id=order.portfolio_id,
        symbol=order.symbol,
        side=order.side,
        quantity=quantity,
        price=price,
        fee=fee_amount(price * quantity * account.commission_rate),
        currency=order.currency,
        time=now,
        correlation_id=order.correlation_id,
    )
    position = portfolio.position(order.symbol, order.currency)
    if was is not None:
        account, position = _reserved(account, was, -1, now), _promised(position, was, -1)
    posting = Posting(
        kind=TransactionKind.FILL,
        cause=f"fill:{execution.id}",
        entries=fill_entries(execution),
        currency=order.currency,
        symbol=order.symbol,
        time=now,
        recorded_at=now,
        correlation_id=order.correlation_id,
    )
    account, transaction = post(account, posting)
    return BookChange(
        before=portfolio.account,
        account=account,
        position=apply_to_position(position, transaction),
        order=order.filled(execution),
        order_was=was,
        fill=execution,
        transaction=transaction,
    )


def match(
    order: Order, price: Decimal, portfolio: Portfolio, now: datetime, cause: Recommendation | None
) -> BookChange:
    """Fill a resting order whose price has come, at ``price``."""
    return _with_recommendation(fill(order, order, price, portfolio, now), cause, now)


def close(
    order: Order,
    status: OrderStatus,
    reason: str,
    portfolio: Portfolio,
    now: datetime,
    cause: Recommendation | None,
) -> BookChange:
    """End a resting order unfilled (cancelled or expired) and give back what it was promised.

    Raises IllegalTransition for an order whose state does not allow it.
    """
    ended = order.moved(status, now, reason).model_copy(update={"reserved_cash": ZERO})
    held = portfolio.position(order.symbol, order.currency)
    change = BookChange(
        before=portfolio.account,
        account=_reserved(portfolio.account, order, -1, now),
        position=_promised(held, order, -1),
        order=ended,
        order_was=order,
    )
    return _with_recommendation(change, cause, now)


def post(account: Account, posting: Posting) -> tuple[Account, LedgerTransaction]:
    """Append to the ledger: the next transaction in the chain, and the account after it."""
    transaction = LedgerTransaction(
        portfolio_id=account.portfolio_id,
        sequence=account.ledger_sequence + 1,
        previous_hash=account.ledger_hash,
        **posting.model_dump(exclude={"entries"}),
        entries=posting.entries,
    ).sealed()
    after = account.model_copy(
        update={
            "cash": _moved(account.cash, posting.entries, "cash", 1),
            "capital": _moved(account.capital, posting.entries, "capital", -1),
            "ledger_sequence": transaction.sequence,
            "ledger_hash": transaction.hash,
            "updated_at": posting.recorded_at,
        }
    )
    return after, transaction


def _moved(
    balances: Mapping[str, Decimal], entries: Iterable[Entry], account: str, sign: int
) -> dict[str, Decimal]:
    """Balances by currency after the entries of one ledger account."""
    after = dict(balances)
    own = [entry for entry in entries if entry.account == account]
    for currency, amount in sums_by_commodity(own).items():
        after[currency] = after.get(currency, ZERO) + sign * amount
    return after


def _reserved(account: Account, order: Order, sign: int, now: datetime) -> Account:
    """Promise (+1) or give back (-1) an order's cash, and count it among the open ones."""
    reserved = dict(account.reserved)
    amount = reserved.get(order.currency, ZERO) + sign * order.reserved_cash
    reserved[order.currency] = amount
    return account.model_copy(
        update={
            "reserved": {c: a for c, a in reserved.items() if a},
            "open_orders": account.open_orders + sign,
            "updated_at": now,
        }
    )


def _promised(position: Position, order: Order, sign: int) -> Position:
    """Promise (+1) or give back (-1) the units or the notional of a resting order."""
    if order.side is Side.SELL:
        units = position.reserved_quantity + sign * order.remaining
        return position.model_copy(update={"reserved_quantity": units})
    notional = position.reserved_notional + sign * order.remaining * (order.limit_price or ZERO)
    return position.model_copy(update={"reserved_notional": notional})


def _with_recommendation(
    change: BookChange, recommendation: Recommendation | None, now: datetime
) -> BookChange:
    """Move the recommendation behind the order along with it."""
    order = change.order
    if recommendation is None or order is None:
        return change
    status = status_by_order(order.execution_status, order.filled_quantity)
    if status is recommendation.execution_status:
        return change
    moved = recommendation.moved(status, now, order.reason, order.id)
    return change.model_copy(update={"recommendation": moved, "recommendation_was": recommendation})
