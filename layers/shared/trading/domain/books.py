"""What a decision on a portfolio's books is made from, and what it changes.

Decisions are pure (``order_life.py`` makes those on orders): they take what was read and return a
``BookChange``, which an adapter writes whole or not at all, under the condition that the account
is still at the version that was read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from pydantic import ConfigDict, Field

from trading.domain.candle import Price
from trading.domain.equity import EquitySnapshot
from trading.domain.instrument import Instrument
from trading.domain.ledger import (
    INCOME_ACCOUNTS,
    Entry,
    LedgerTransaction,
    TransactionKind,
)
from trading.domain.money import ZERO
from trading.domain.order import Fill, Order
from trading.domain.portfolio import Account, Portfolio
from trading.domain.position import Position
from trading.domain.promises import OrderMove
from trading.domain.recommendation import Recommendation
from trading.domain.risk.engine import Decision
from trading.domain.risk.equity_marks import EquityMarks
from trading.domain.risk.limits import RiskLimits
from trading.domain.risk.tail import TailState
from trading.domain.value import Value

_INCOME = frozenset(INCOME_ACCOUNTS.values())


class Holding(Value):
    """What ending an order is decided on: the account, the position, the order and its links.

    ``existing`` is the order with the id in question, if it was made before; ``linked`` are the
    orders that may change along with it, by id.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    portfolio: Portfolio
    existing: Order | None
    linked: Mapping[str, Order] = Field(default_factory=dict)
    now: datetime


class Snapshot(Holding):
    """All that a decision on one order of one portfolio is made from, as read at one moment."""

    instrument: Instrument
    limits: RiskLimits
    trades_today: int
    marks: EquityMarks | None = None
    tail: TailState | None = None
    volatility: Decimal | None = None

    @property
    def mark(self) -> Price | None:
        """The latest price of the instrument in question."""
        return self.portfolio.prices.get(self.instrument.symbol)


class BookChange(Value):
    """What one decision changes. ``before`` is the account as read; its version guards the write.

    ``account`` is None where money, positions and resting orders stay as they are (a rejection).
    ``counted_on`` is the day whose order counter moves by one, up to ``daily_cap``.
    ``order_was`` and ``recommendation_was`` are the states before (None: newly made); ``linked``
    are the other orders that change along, all of the same symbol.
    ``marker`` names a cause that must not have been acted on before, ``fingerprint`` what it asked
    for. ``equity`` is kept as a snapshot.
    """

    before: Account
    account: Account | None = None
    position: Position | None = None
    order: Order | None = None
    order_was: Order | None = None
    linked: tuple[OrderMove, ...] = ()
    fill: Fill | None = None
    transaction: LedgerTransaction | None = None
    decision: Decision | None = None
    limits_version: int | None = None
    counted_on: date | None = None
    daily_cap: int | None = None
    recommendation: Recommendation | None = None
    recommendation_was: Recommendation | None = None
    marker: str | None = None
    fingerprint: str | None = None
    equity: EquitySnapshot | None = None


class Posting(NamedTuple):
    """What a ledger transaction says beside its place in the chain."""

    kind: TransactionKind
    cause: str
    entries: tuple[Entry, ...]
    currency: str
    time: datetime
    recorded_at: datetime
    symbol: str | None = None
    note: str | None = None
    correlation_id: str = ""


def post(account: Account, posting: Posting) -> tuple[Account, LedgerTransaction]:
    """Append to the ledger: the next transaction in the chain, and the account after it."""
    transaction = LedgerTransaction.trusted(
        portfolio_id=account.portfolio_id,
        sequence=account.ledger_sequence + 1,
        kind=posting.kind,
        cause=posting.cause,
        time=posting.time,
        recorded_at=posting.recorded_at,
        entries=posting.entries,
        symbol=posting.symbol,
        currency=posting.currency,
        note=posting.note,
        correlation_id=posting.correlation_id,
        previous_hash=account.ledger_hash,
    ).sealed()
    cash, capital, income = dict(account.cash), dict(account.capital), dict(account.income)
    for entry in posting.entries:
        name = entry.account
        if name == "cash":
            _add(cash, entry.commodity, entry.amount)
        elif name == "capital":
            _add(capital, entry.commodity, -entry.amount)
        elif name in _INCOME:
            _add(income, entry.commodity, -entry.amount)
    after = account.model_copy(
        update={
            "cash": cash,
            "capital": capital,
            "income": income,
            "ledger_sequence": transaction.sequence,
            "ledger_hash": transaction.hash,
            "updated_at": posting.recorded_at,
        }
    )
    return after, transaction


def _add(balances: dict[str, Decimal], currency: str, amount: Decimal) -> None:
    """Add to the balance of one currency."""
    balances[currency] = balances.get(currency, ZERO) + amount
