"""A portfolio's account, and the view of it that decisions are made on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from pydantic import ConfigDict, Field, model_validator

from trading.domain.candle import Price
from trading.domain.errors import MissingRate
from trading.domain.fill_model import FillModel
from trading.domain.ledger import GENESIS_HASH
from trading.domain.money import ONE, ZERO
from trading.domain.order import Liquidity, OrderType
from trading.domain.position import CostMethod, Position
from trading.domain.value import Value


class Mode(StrEnum):
    """How a portfolio's orders are filled: on supplied prices, on live prices, at a venue."""

    MOCK = "mock"
    PAPER = "paper"
    LIVE = "live"


class Clock(StrEnum):
    """What 'now' means to a portfolio: the wall clock, or the newest accepted price."""

    WALL = "wall"
    MARKET = "market"


class TradingState(StrEnum):
    """The kill switch: all orders, only orders that cut risk, or none."""

    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"


class Direction(StrEnum):
    """Which holdings signals may open; shorts need a portfolio with margin."""

    LONG = "long"
    SHORT = "short"
    BOTH = "both"


class Sizing(StrEnum):
    """How large an entry is: a fraction of equity, units, a worth, or what its stop may lose."""

    FRACTION = "fraction"
    FIXED_QUANTITY = "fixed_quantity"
    FIXED_NOTIONAL = "fixed_notional"
    RISK = "risk"


SIZED_BY = {
    Sizing.FIXED_QUANTITY: "quantity",
    Sizing.FIXED_NOTIONAL: "notional",
    Sizing.RISK: "risk_fraction",
}
"""What a policy must name for a sizing."""


class AllocationPolicy(Value):
    """How signals become target positions.

    A mean score of at least ``entry_score`` buys up to ``target_fraction`` of equity per symbol;
    one of at most ``exit_score`` sells the holding; ``direction`` says whether low scores also
    open shorts, mirrored. ``sizing`` fraction multiplies ``target_fraction`` with the score, the
    others take ``quantity`` (units), ``notional`` (quote currency), or what lets the entry's stop
    lose ``risk_fraction`` of equity, at most ``target_fraction``. ``entry`` is the type of entry
    orders, a limit ``entry_offset_bps`` better or a stop that much worse than the price. Entries
    get exits ``stop_loss_percent`` (or trailing ``trail_percent``) and ``take_profit_percent`` from
    their price, unless a signal says where. ``weights`` weigh strategies against each
    other (1 where not named); ``symbols`` limits what is traded (None: every instrument). Signals
    older than ``signal_max_age_seconds`` do not count; a recommendation lapses after
    ``valid_for_seconds``.
    """

    model_config = ConfigDict(extra="forbid")

    entry_score: Decimal = Field(default=Decimal("0.5"), gt=0, le=1)
    exit_score: Decimal = Field(default=Decimal("-0.5"), ge=-1, lt=0)
    target_fraction: Decimal = Field(default=Decimal("0.1"), gt=0, le=1)
    direction: Direction = Direction.LONG
    sizing: Sizing = Sizing.FRACTION
    quantity: Decimal | None = Field(default=None, gt=0)
    notional: Decimal | None = Field(default=None, gt=0)
    risk_fraction: Decimal | None = Field(default=None, gt=0, le=1)
    entry: Literal[OrderType.MARKET, OrderType.LIMIT, OrderType.STOP] = OrderType.MARKET
    entry_offset_bps: Decimal = Field(default=ZERO, ge=0, lt=10_000)
    stop_loss_percent: Decimal | None = Field(default=None, gt=0, lt=100)
    trail_percent: Decimal | None = Field(default=None, gt=0, lt=100)
    take_profit_percent: Decimal | None = Field(default=None, gt=0)
    weights: dict[str, Decimal] = Field(default_factory=dict)
    symbols: list[str] | None = None
    valid_for_seconds: int = Field(default=3600, ge=1, le=30 * 86400)
    signal_max_age_seconds: int = Field(default=4 * 86400, ge=1, le=90 * 86400)

    @model_validator(mode="after")
    def _sized(self) -> AllocationPolicy:
        needed = SIZED_BY.get(self.sizing)
        if needed and getattr(self, needed) is None:
            raise ValueError(f"{needed} is needed for sizing {self.sizing}")
        return self


class Account(Value):
    """The head of a portfolio's books; its ``version`` guards every change of them.

    ``cash`` is by currency; ``reserved`` is the part of it promised to resting buy orders;
    ``capital`` is what the owner put in less what was taken out; ``opening_cash`` is what the
    portfolio was opened with; ``income`` is dividends, funding and borrow costs, net.
    Without ``margin`` it is long only and spends only the cash it has. ``commission_rate`` is what
    takers pay, as a fraction of notional; ``fill_model`` says what else trading costs.
    ``borrow_rate`` is what owed cash and units cost a year, as a fraction of their value.
    What the market did up to ``trading_state_since`` moves no order that waits.
    ``ledger_sequence`` and ``ledger_hash`` are those of the newest ledger transaction.
    """

    portfolio_id: str
    base_currency: str
    mode: Mode
    clock: Clock = Clock.WALL
    commission_rate: Decimal = ZERO
    fill_model: FillModel = Field(default_factory=FillModel)
    margin: bool = False
    cost_method: CostMethod = CostMethod.AVERAGE
    borrow_rate: Decimal = ZERO
    policy: AllocationPolicy = Field(default_factory=AllocationPolicy)
    cash: dict[str, Decimal] = Field(default_factory=dict)
    reserved: dict[str, Decimal] = Field(default_factory=dict)
    capital: dict[str, Decimal] = Field(default_factory=dict)
    income: dict[str, Decimal] = Field(default_factory=dict)
    opening_cash: dict[str, Decimal] = Field(default_factory=dict)
    open_orders: int = 0
    trading_state: TradingState = TradingState.ACTIVE
    trading_state_reason: str | None = None
    trading_state_since: datetime | None = None
    ledger_sequence: int = 0
    ledger_hash: str = GENESIS_HASH
    version: int = 0
    created_at: datetime
    updated_at: datetime

    def commission(self, liquidity: Liquidity) -> Decimal:
        """The commission as a fraction of notional."""
        maker = self.fill_model.maker_rate
        return maker if maker is not None and liquidity is Liquidity.MAKER else self.commission_rate

    @property
    def highest_commission(self) -> Decimal:
        """The commission that a purchase is planned with."""
        return max(self.commission_rate, self.fill_model.maker_rate or ZERO)

    @property
    def currencies(self) -> set[str]:
        """The currencies that the account has or had anything in."""
        amounts = (self.cash, self.capital, self.income)
        return {currency for kind in amounts for currency, amount in kind.items() if amount}

    def cash_in(self, currency: str) -> Decimal:
        """Cash in one currency, reservations included."""
        return self.cash.get(currency, ZERO)

    def available(self, currency: str) -> Decimal:
        """Cash in one currency that no resting order has been promised."""
        return self.cash_in(currency) - self.reserved.get(currency, ZERO)


class Portfolio(Value):
    """An account with its positions and their latest prices: what risk rules look at.

    ``rates`` are units of the base currency per unit of another currency.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    account: Account
    positions: Mapping[str, Position] = Field(default_factory=dict)
    prices: Mapping[str, Price] = Field(default_factory=dict)
    rates: Mapping[str, Decimal] = Field(default_factory=dict)

    def rate(self, currency: str) -> Decimal:
        """Units of the base currency per unit of ``currency``. Raises MissingRate."""
        base = self.account.base_currency
        if currency == base:
            return ONE
        if currency not in self.rates:
            raise MissingRate(currency, base)
        return self.rates[currency]

    def position(self, symbol: str, currency: str) -> Position:
        """The holding of a symbol, empty when there is none."""
        return self.positions.get(symbol) or Position(
            symbol=symbol, currency=currency, cost_method=self.account.cost_method
        )

    def value_of(self, position: Position) -> Decimal:
        """Market value of a holding in its own currency; at cost while it has no price."""
        price = self.prices.get(position.symbol)
        return position.market_value(price.price) if price else position.cost_basis

    def in_base(self, amounts: Mapping[str, Decimal]) -> Decimal:
        """Amounts by currency, added up in the base currency. Raises MissingRate."""
        return sum((a * self.rate(currency) for currency, a in amounts.items() if a), ZERO)

    @property
    def holdings_value(self) -> Decimal:
        """Market value of all holdings in the base currency. Raises MissingRate."""
        return sum((self._worth(p) for p in self.positions.values()), ZERO)

    @property
    def gross_exposure(self) -> Decimal:
        """Long plus short holdings, both positive, in the base currency. Raises MissingRate."""
        return sum((abs(self._worth(p)) for p in self.positions.values()), ZERO)

    @property
    def net_exposure(self) -> Decimal:
        """Long less short holdings in the base currency. Raises MissingRate."""
        return self.holdings_value

    @property
    def equity(self) -> Decimal:
        """Cash of all currencies plus holdings, in the base currency. Raises MissingRate."""
        return self.in_base(self.account.cash) + self.holdings_value

    def _worth(self, position: Position) -> Decimal:
        """Value of a holding in the base currency; one that is flat needs no rate."""
        value = self.value_of(position)
        return value * self.rate(position.currency) if value else ZERO
