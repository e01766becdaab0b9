"""Wire models of the portfolio service."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from trading.domain.errors import InvalidInput
from trading.domain.fill_model import FillModel, FillTiming, SlippageModel
from trading.domain.ledger import LedgerTransaction, TransactionKind
from trading.domain.portfolio import Clock, Mode, TradingState
from trading.domain.position import CostMethod
from trading.schemas.amount import Amount, NonNegativeAmount, OutAmount, PositiveAmount, Within
from trading.schemas.base import Flag, Page, Symbol, UtcDatetime, Whole, Wire
from trading.schemas.policy import PolicyTerms

CURRENCY = r"^[A-Z0-9]{2,12}$"


class FillTerms(Wire):
    """What trading costs beside the commission, and how much of a bar's volume may be traded.

    ``maker_rate`` is the commission of orders that waited (null: ``commission_rate``), the rest is
    in basis points of the price: the whole ``spread_bps``, and ``slippage_bps`` always (``fixed``)
    or times the square of the share in the bar's volume (``volume_share``). ``timing`` next_bar
    lets orders that can wait meet the market at what it does next (of a bar: its open), immediate
    at the price as it stands.
    """

    maker_rate: Annotated[NonNegativeAmount, Within(le=Decimal("0.1"))] | None = None
    spread_bps: Annotated[NonNegativeAmount, Within(le=2000)] = Decimal(0)
    slippage: SlippageModel = SlippageModel.NONE
    slippage_bps: Annotated[NonNegativeAmount, Within(le=2000)] = Decimal(0)
    participation_rate: Annotated[PositiveAmount, Within(le=1)] | None = None
    timing: FillTiming = FillTiming.IMMEDIATE

    @property
    def model(self) -> FillModel:
        """The fill model of these terms."""
        return FillModel(**self.model_dump())

    @classmethod
    def of(cls, model: FillModel) -> FillTerms:
        """The wire form of a fill model."""
        return cls(**model.model_dump())


class PortfolioIn(Wire):
    """A portfolio to open. ``cash`` is in the base currency; ``clock`` market replays history.

    Without ``margin`` it is long only. ``borrow_rate`` is what owed cash and units cost a year, as
    a fraction; it is charged daily.
    """

    base_currency: str = Field(pattern=CURRENCY)
    mode: Mode = Mode.MOCK
    clock: Clock = Clock.WALL
    cash: NonNegativeAmount = Decimal(0)
    commission_rate: Annotated[NonNegativeAmount, Within(le=Decimal("0.1"))] = Decimal(0)
    policy: PolicyTerms = Field(default_factory=PolicyTerms)
    margin: Flag = False
    cost_method: CostMethod = CostMethod.AVERAGE
    borrow_rate: Annotated[NonNegativeAmount, Within(le=10)] = Decimal(0)
    fill_model: FillTerms = Field(default_factory=FillTerms)

    @model_validator(mode="after")
    def _live_by_the_wall(self) -> PortfolioIn:
        if self.mode is Mode.LIVE:
            raise ValueError("mode live has no venue to trade at yet; use mock or paper")
        return self


class PortfolioOut(Wire):
    """Cash by currency; all else in the base currency, now or as of a past moment.

    ``available_cash`` is cash of the base currency that no resting order has been promised.
    ``exposure`` is long plus short holdings, ``net_exposure`` long less short. ``total_pnl`` is
    equity less the capital put in: realized and unrealized profit and ``income`` (dividends,
    funding, borrow costs), less fees, and ``other_pnl``, which is what exchange rates and
    corrections brought. ``rates`` are units of the base currency per unit of another.
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
    net_exposure: OutAmount
    realized_pnl: OutAmount
    unrealized_pnl: OutAmount
    income: OutAmount
    fees: OutAmount
    other_pnl: OutAmount
    total_pnl: OutAmount
    rates: dict[str, OutAmount]
    open_orders: int
    positions: int
    trading_state: TradingState
    commission_rate: OutAmount
    margin: bool
    cost_method: CostMethod
    borrow_rate: OutAmount
    fill_model: FillTerms
    policy: PolicyTerms
    ledger_sequence: int
    ledger_hash: str
    created_at: UtcDatetime


class PortfolioRef(Wire):
    """A portfolio's id."""

    portfolio_id: str


class LotOut(Wire):
    """Units that came together, and what they cost in all; both negative when sold short."""

    quantity: OutAmount
    cost: OutAmount


class PositionOut(Wire):
    """A holding in its quote currency, with its value at the latest price (null without one).

    A short is negative in quantity, cost and value. ``lots`` are kept under FIFO, oldest first.
    """

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
    income: OutAmount
    fees: OutAmount
    reserved_quantity: OutAmount
    cost_method: CostMethod
    lots: list[LotOut]


class EquityPoint(Wire):
    """Equity at one moment; ``capital`` is what had been put in by then."""

    time: UtcDatetime
    equity: OutAmount
    cash: OutAmount
    capital: OutAmount


class PerformanceOut(Wire):
    """Figures from equity snapshots; returns and drawdown are fractions (0.1 is 10 %).

    Deposits and withdrawals are no performance. The money-weighted return is over the whole period
    and, where that is a year or more, also a year's; ``money_weighted_note`` says why one is null.
    The deepest fall went from ``drawdown_start`` to ``drawdown_end``. ``volatility`` is a year's,
    from daily returns.
    """

    portfolio_id: str
    start: UtcDatetime | None
    end: UtcDatetime | None
    snapshots: int
    net_profit: OutAmount
    time_weighted_return: OutAmount
    money_weighted_return: OutAmount | None
    money_weighted_annual: OutAmount | None
    money_weighted_note: str | None
    max_drawdown: OutAmount
    drawdown_start: UtcDatetime | None
    drawdown_end: UtcDatetime | None
    volatility: OutAmount | None
    equity: list[EquityPoint]


class HoldingsUpdateIn(Wire):
    """One movement of money or units, as a ledger transaction of ``type``.

    ``deposit``, ``withdrawal``: a positive ``amount``. ``correction``: a signed ``amount``, or a
    ``symbol`` with a signed ``quantity`` and, when adding, ``unit_cost``. ``dividend``: a
    ``symbol`` with a signed ``amount`` (received is positive) or ``per_unit`` held; shorts pay.
    ``funding``: a ``symbol`` with a signed ``amount``. ``borrow_cost``: a positive ``amount``,
    perhaps for a ``symbol``. ``split``: a ``symbol``, of which every ``split_from`` units become
    ``split_to``. ``conversion``: a positive ``amount`` into ``to_currency``, at ``rate`` (of that
    per unit), or at the latest known one.
    """

    type: Literal[
        TransactionKind.DEPOSIT,
        TransactionKind.WITHDRAWAL,
        TransactionKind.CORRECTION,
        TransactionKind.DIVIDEND,
        TransactionKind.SPLIT,
        TransactionKind.FUNDING,
        TransactionKind.BORROW_COST,
        TransactionKind.CONVERSION,
    ]
    currency: str = Field(pattern=CURRENCY)
    amount: Amount | None = None
    symbol: Symbol | None = None
    quantity: Amount | None = None
    unit_cost: NonNegativeAmount | None = None
    per_unit: PositiveAmount | None = None
    split_to: Whole | None = Field(default=None, ge=1, le=1_000_000)
    split_from: Whole | None = Field(default=None, ge=1, le=1_000_000)
    to_currency: str | None = Field(default=None, pattern=CURRENCY)
    rate: PositiveAmount | None = None
    note: str | None = Field(default=None, max_length=200)

    @model_validator(mode="after")
    def _fits_type(self) -> HoldingsUpdateIn:
        needed, optional = _FIELDS[self.type]
        for name in sorted(_VARIABLE - needed - optional):
            if getattr(self, name) is not None:
                raise InvalidInput(name, f"does not belong to a {self.type}")
        for name in sorted(needed):
            if getattr(self, name) is None:
                raise InvalidInput(name, f"is needed for a {self.type}")
        return self

    @model_validator(mode="after")
    def _amounts_fit_type(self) -> HoldingsUpdateIn:
        if self.type in _POSITIVE and (self.amount is None or self.amount <= 0):
            raise InvalidInput("amount", f"must be positive for a {self.type}")
        if self.type is TransactionKind.CORRECTION:
            self._one_of(self.amount, self.symbol and self.quantity, "symbol and quantity")
            if self.symbol is None and (self.quantity or self.unit_cost):
                raise InvalidInput("symbol", "is needed to correct a holding")
        if self.type is TransactionKind.DIVIDEND:
            self._one_of(self.amount, self.per_unit, "per_unit")
        if self.type is TransactionKind.FUNDING and not self.amount:
            raise InvalidInput("amount", "must not be zero")
        if self.type is TransactionKind.SPLIT and self.split_to == self.split_from:
            raise InvalidInput("split_to", "must differ from split_from")
        return self

    def _one_of(self, one: object, other: object, named: str) -> None:
        if bool(one) == bool(other):
            raise InvalidInput("amount", f"a {self.type} needs either amount or {named}; not zero")


_VARIABLE = set(HoldingsUpdateIn.model_fields) - {"type", "currency", "note"}
_K = TransactionKind
_POSITIVE = {_K.DEPOSIT, _K.WITHDRAWAL, _K.BORROW_COST, _K.CONVERSION}
_FIELDS: dict[TransactionKind, tuple[set[str], set[str]]] = {
    _K.DEPOSIT: ({"amount"}, set()),
    _K.WITHDRAWAL: ({"amount"}, set()),
    _K.CORRECTION: (set(), {"amount", "symbol", "quantity", "unit_cost"}),
    _K.DIVIDEND: ({"symbol"}, {"amount", "per_unit"}),
    _K.SPLIT: ({"symbol", "split_to", "split_from"}, set()),
    _K.FUNDING: ({"symbol", "amount"}, set()),
    _K.BORROW_COST: ({"amount"}, {"symbol"}),
    _K.CONVERSION: ({"amount", "to_currency"}, {"rate"}),
}
"""Of each type of movement, the fields that it needs and those that it may have."""


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


class VerificationOut(Wire):
    """What was checked of a ledger, and the first thing found wrong (null if ``ok``).

    Each transaction's hash, its link to the one before and its sums were checked, of ``checked``
    transactions from ``first`` to ``last``, and that the neighbours of these link to them; where
    the newest is among them, also that the account carries its hash. ``complete`` tells that they
    are all there are. With ``verify`` the account and the positions were compared, too, with what
    replaying the ledger gives.
    """

    ok: bool
    checked: int
    first: int | None
    last: int | None
    complete: bool
    problem: str | None


class LedgerPage(Page[LedgerTransactionOut]):
    """A page of the ledger, newest first, verified."""

    verification: VerificationOut
