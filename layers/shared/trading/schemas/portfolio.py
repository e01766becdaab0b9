"""Wire models of the portfolio service."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field, model_validator

from trading.domain.ledger import LedgerTransaction, TransactionKind
from trading.domain.portfolio import AllocationPolicy, Clock, Mode, TradingState
from trading.schemas.base import (
    Amount,
    NonNegativeAmount,
    OutAmount,
    Symbol,
    UtcDatetime,
    Wire,
)

CURRENCY = r"^[A-Z0-9]{2,12}$"


class PortfolioIn(Wire):
    """A portfolio to open. ``cash`` is in the base currency; ``clock`` market replays history."""

    base_currency: str = Field(pattern=CURRENCY)
    mode: Mode = Mode.MOCK
    clock: Clock = Clock.WALL
    cash: NonNegativeAmount = Decimal(0)
    commission_rate: NonNegativeAmount = Field(default=Decimal(0), le=Decimal("0.1"))
    policy: AllocationPolicy = Field(default_factory=AllocationPolicy)

    @model_validator(mode="after")
    def _live_by_the_wall(self) -> PortfolioIn:
        if self.mode is Mode.LIVE:
            raise ValueError("mode live has no venue to trade at yet; use mock or paper")
        return self


class PortfolioOut(Wire):
    """Cash, equity, exposure and profit in the base currency, now or as of a past moment.

    ``total_pnl`` is equity less the capital put in; ``available_cash`` is cash that no resting
    order has been promised.
    """

    portfolio_id: str
    base_currency: str
    mode: Mode
    clock: Clock
    as_of: UtcDatetime
    cash: dict[str, OutAmount]
    available_cash: OutAmount
    holdings_value: OutAmount
    equity: OutAmount
    capital: OutAmount
    exposure: OutAmount
    realized_pnl: OutAmount
    unrealized_pnl: OutAmount
    fees: OutAmount
    total_pnl: OutAmount
    open_orders: int
    positions: int
    trading_state: TradingState
    commission_rate: OutAmount
    policy: AllocationPolicy
    ledger_sequence: int
    ledger_hash: str
    created_at: UtcDatetime


class PortfolioRef(Wire):
    """A portfolio's id."""

    portfolio_id: str


class PositionOut(Wire):
    """A holding at average cost, with its value at the latest price (null without one)."""

    symbol: str
    currency: str
    quantity: OutAmount
    average_cost: OutAmount
    cost_basis: OutAmount
    price: OutAmount | None
    price_time: UtcDatetime | None
    market_value: OutAmount | None
    unrealized_pnl: OutAmount | None
    realized_pnl: OutAmount
    fees: OutAmount
    reserved_quantity: OutAmount


class EquityPoint(Wire):
    """Equity at one moment; ``capital`` is what had been put in by then."""

    time: UtcDatetime
    equity: OutAmount
    cash: OutAmount
    capital: OutAmount


class PerformanceOut(Wire):
    """Figures from equity snapshots; returns and drawdown are fractions (0.1 is 10 %)."""

    portfolio_id: str
    start: UtcDatetime | None
    end: UtcDatetime | None
    snapshots: int
    net_profit: OutAmount
    time_weighted_return: OutAmount
    max_drawdown: OutAmount
    equity: list[EquityPoint]


class HoldingsUpdateIn(Wire):
    """One movement of money or units.

    ``deposit`` and ``withdrawal`` take a positive ``amount`` of ``currency``; ``correction`` takes
    a signed ``amount``, or a ``symbol`` with a signed ``quantity`` and, when adding,
    ``unit_cost``.
    """

    type: TransactionKind
    currency: str = Field(pattern=CURRENCY)
    amount: Amount | None = None
    symbol: Symbol | None = None
    quantity: Amount | None = None
    unit_cost: NonNegativeAmount | None = None
    note: str | None = Field(default=None, max_length=200)

    @model_validator(mode="after")
    def _fits_type(self) -> HoldingsUpdateIn:
        moves = (TransactionKind.DEPOSIT, TransactionKind.WITHDRAWAL, TransactionKind.CORRECTION)
        if self.type not in moves:
            raise ValueError("type must be deposit, withdrawal or correction")
        if self.type is not TransactionKind.CORRECTION:
            if self.amount is None or self.amount <= 0:
                raise ValueError(f"a {self.type} needs a positive amount")
            if self.symbol or self.quantity is not None or self.unit_cost is not None:
                raise ValueError(f"a {self.type} moves cash only; use a correction for units")
        elif bool(self.amount) == bool(self.symbol and self.quantity):
            raise ValueError("a correction needs either amount, or symbol and quantity; not zero")
        return self


class EntryOut(Wire):
    """One line of a ledger transaction."""

    account: str
    commodity: str
    amount: OutAmount


class LedgerTransactionOut(Wire):
    """Entries that sum to zero per commodity, with their place in the hash chain."""

    sequence: int
    kind: TransactionKind
    cause: str
    time: UtcDatetime
    recorded_at: UtcDatetime
    symbol: str | None
    currency: str
    note: str | None
    entries: list[EntryOut]
    correlation_id: str
    previous_hash: str
    hash: str

    @classmethod
    def of(cls, transaction: LedgerTransaction) -> LedgerTransactionOut:
        """The wire form of a transaction."""
        return cls(**transaction.model_dump(include=set(cls.model_fields)))
