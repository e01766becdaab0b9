"""What the use cases need from outside; adapters provide it, tests may fake it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Protocol

from trading.domain.books import BookChange, Holding, Snapshot
from trading.domain.candle import Candle, Price
from trading.domain.equity import EquitySnapshot
from trading.domain.instrument import Instrument
from trading.domain.ledger import LedgerTransaction
from trading.domain.order import Order
from trading.domain.portfolio import Account, Portfolio
from trading.domain.recommendation import Recommendation
from trading.domain.risk.engine import Decision
from trading.domain.risk.equity_marks import EquityMarks
from trading.domain.risk.exposure import ExposureSnapshot
from trading.domain.risk.limits import RiskLimits
from trading.domain.risk.stop import Stop
from trading.domain.risk.tail import ReturnSeries, TailState
from trading.domain.signal import Signal


class Books(Protocol):
    """Portfolios' books: read for a decision, written by a decision."""

    def account(self, portfolio_id: str) -> Account:
        """Read an account. Raises NotFound."""
        ...

    def now(self, account: Account) -> datetime:
        """The present moment on the portfolio's clock."""
        ...

    def portfolio(self, portfolio_id: str, *currencies: str) -> Portfolio:
        """Read an account with positions, prices and rates. Raises NotFound."""
        ...

    def part(self, portfolio_id: str, symbols: Sequence[str]) -> Portfolio:
        """Read an account with some positions and prices. Raises NotFound."""
        ...

    def holders(self, portfolio_ids: Sequence[str], symbols: Sequence[str]) -> list[str]:
        """Those of some portfolios that hold one of some symbols."""
        ...

    def snapshot(self, portfolio_id: str, symbol: str, order_id: str, *links: str) -> Snapshot:
        """Read all that a decision on one order needs, and on those that it is to change.

        Raises NotFound.
        """
        ...

    def holding(self, portfolio_id: str, symbol: str, order_id: str) -> Holding:
        """Read what ending an order needs. Raises NotFound."""
        ...

    def trades_on(self, portfolio_id: str, day: date) -> int:
        """How many orders were accepted on a day."""
        ...

    def acted_on(self, portfolio_id: str, cause: str) -> str | None:
        """The fingerprint of a marked cause (maybe empty); None if it was not acted on."""
        ...

    def commit(self, change: BookChange) -> None:
        """Write a decision whole. Raises ConcurrentUpdate, with nothing written."""
        ...


class Recommendations(Protocol):
    """Recommendations and their outbox."""

    def get(self, identifier: str) -> Recommendation:
        """Read one. Raises NotFound."""
        ...

    def create(self, recommendation: Recommendation) -> bool:
        """Write a new one; False if it exists."""
        ...

    def move(self, recommendation: Recommendation, was: Recommendation) -> None:
        """Write a change of state. Raises ConcurrentUpdate."""
        ...

    def newest(
        self, portfolio_id: str, limit: int, before: str | None = None
    ) -> list[tuple[str, Recommendation]]:
        """A portfolio's newest, with their places in the list."""
        ...

    def unfinished(self, portfolio_id: str) -> list[Recommendation]:
        """A portfolio's recommendations that are on their way to an order or its end."""
        ...

    def outbox(self, limit: int) -> list[Recommendation]:
        """The oldest unsent."""
        ...

    def queued(self, limit: int) -> list[Recommendation]:
        """The oldest of every portfolio that were sent and not acted on yet."""
        ...


class Orders(Protocol):
    """Orders as they are read."""

    def get(self, identifier: str) -> Order:
        """Read one. Raises NotFound."""
        ...

    def some(self, identifiers: Sequence[str]) -> list[Order]:
        """Read those of some orders that exist."""
        ...

    def open(self, symbol: str | None = None) -> list[Order]:
        """Resting orders."""
        ...


class Portfolios(Protocol):
    """Portfolios beyond single decisions."""

    def find(self, portfolio_id: str) -> Account | None:
        """Read an account, or None."""
        ...

    def open(self, account: Account, transactions: Sequence[LedgerTransaction]) -> None:
        """Write a new one. Raises ConcurrentUpdate if it exists."""
        ...

    def ids(self) -> list[str]:
        """All ids."""
        ...

    def ledger(self, portfolio_id: str) -> list[LedgerTransaction]:
        """The whole ledger in order. Raises BrokenLedger for what cannot be read."""
        ...

    def record_equity(self, snapshot: EquitySnapshot) -> None:
        """Write an equity snapshot."""
        ...


class Risk(Protocol):
    """Limits."""

    def limits(self, portfolio_id: str) -> RiskLimits:
        """A portfolio's limits."""
        ...

    def put_limits(self, portfolio_id: str, limits: RiskLimits, read_version: int) -> None:
        """Replace the limits. Raises ConcurrentUpdate."""
        ...

    def watched(self) -> list[str]:
        """The portfolios that have a limit on what they may lose."""
        ...

    def marks(self, portfolio_id: str) -> EquityMarks | None:
        """The equity that losses are measured from, or None."""
        ...

    def put_marks(self, portfolio_id: str, marks: EquityMarks, read: EquityMarks | None) -> None:
        """Write marks. Raises ConcurrentUpdate."""
        ...

    def put_tail(self, tail: TailState) -> None:
        """Replace a portfolio's tail state."""
        ...

    def returns(self, symbols: Collection[str]) -> list[ReturnSeries]:
        """The stored series of returns of some symbols."""
        ...

    def put_returns(self, series: ReturnSeries) -> None:
        """Replace a symbol's series of returns."""
        ...

    def decision_on(self, order: Order) -> Decision | None:
        """The verdict that a rejected order was rejected with."""
        ...


class Stops(Protocol):
    """Stops."""

    def of(self, portfolio_id: str) -> list[Stop]:
        """A portfolio's stops."""
        ...

    def armed_on(self, symbol: str) -> dict[str, list[Stop]]:
        """The armed stops on a symbol, by portfolio."""
        ...

    def put(self, stop: Stop, was: Stop | None) -> Stop:
        """Write a stop that was read as ``was``; returns it as kept. Raises ConcurrentUpdate."""
        ...


class Exposures(Protocol):
    """Past exposures."""

    def record(self, snapshot: ExposureSnapshot) -> None:
        """Write one."""
        ...


class CandleHistory(Protocol):
    """Where candles are read."""

    def candles(
        self,
        symbol: str,
        timeframe: str,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int | None = None,
        newest_first: bool = False,
    ) -> list[Candle]:
        """Candles of a symbol by opening time, bounds inclusive."""
        ...


class Market(CandleHistory, Protocol):
    """Instruments, prices and candles."""

    def get_instrument(self, symbol: str) -> Instrument | None:
        """An instrument, or None."""
        ...

    def instruments(self) -> list[Instrument]:
        """All instruments by symbol."""
        ...

    def latest_prices(self, symbols: Sequence[str] | None = None) -> list[Price]:
        """Latest prices of some or all symbols."""
        ...

    def matched_until(self, symbol: str) -> datetime | None:
        """Up to when the market of a symbol was shown to its resting orders."""
        ...

    def note_matched(self, symbol: str, until: datetime) -> None:
        """Move that moment forward."""
        ...


class Signals(Protocol):
    """Signals as recommendations read them."""

    def latest(self, symbol: str, since: datetime) -> list[Signal]:
        """The newest signal of each source and strategy on a symbol, none older than ``since``."""
        ...


class ExecutionQueue(Protocol):
    """The queue from recommendations to execution."""

    def send(self, recommendations: Sequence[Recommendation]) -> list[str]:
        """Send them; returns the ids of those that the queue took."""
        ...


class Desk(Protocol):
    """Everything a trading use case works with; a function lacks what it may not touch."""

    @property
    def books(self) -> Books:
        """The books."""
        ...

    @property
    def recommendations(self) -> Recommendations:
        """The recommendations."""
        ...

    @property
    def orders(self) -> Orders:
        """The orders."""
        ...

    @property
    def portfolios(self) -> Portfolios:
        """The portfolios."""
        ...

    @property
    def risk(self) -> Risk:
        """Limits."""
        ...

    @property
    def stops(self) -> Stops:
        """The stops."""
        ...

    @property
    def exposures(self) -> Exposures:
        """Past exposures."""
        ...

    @property
    def market(self) -> Market:
        """The market's data."""
        ...

    @property
    def signals(self) -> Signals:
        """The signals."""
        ...

    @property
    def queue(self) -> ExecutionQueue:
        """The way to execution."""
        ...

    def wall_clock(self) -> datetime:
        """The present moment, UTC."""
        ...
