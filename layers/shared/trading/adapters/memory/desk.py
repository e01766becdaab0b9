"""The desk of a backtest: the use cases' ports, all in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from trading.adapters.memory.books import MemoryBooks
from trading.adapters.memory.market import MemoryMarket
from trading.domain.errors import ConcurrentUpdate, NotFound
from trading.domain.order import Order
from trading.domain.portfolio import Account
from trading.domain.recommendation import Recommendation
from trading.domain.risk.engine import Decision
from trading.domain.risk.equity_marks import EquityMarks
from trading.domain.risk.limits import RiskLimits
from trading.domain.risk.stop import Stop
from trading.domain.risk.tail import ReturnSeries
from trading.domain.signal import Signal


class MemoryRecommendations:
    """Recommendations of the one portfolio."""

    def __init__(self, books: MemoryBooks) -> None:
        self._books = books

    def get(self, identifier: str) -> Recommendation:
        """Read one. Raises NotFound."""
        found = self._books.recommendations.get(identifier)
        if found is None:
            raise NotFound("recommendation", identifier)
        return found

    def create(self, recommendation: Recommendation) -> bool:
        """Write a new one; False if it exists."""
        if recommendation.id in self._books.recommendations:
            return False
        self._books.keep_recommendation(recommendation)
        if recommendation.execution_status == "rejected":
            self._books.rejected[recommendation.reason or ""] += 1
        return True

    def move(self, recommendation: Recommendation, was: Recommendation) -> None:
        """Write a change of state. Raises ConcurrentUpdate."""
        if self._books.recommendations.get(was.id) != was:
            raise ConcurrentUpdate(f"recommendation '{was.id}' is no longer {was.execution_status}")
        self._books.keep_recommendation(recommendation)

    def newest(
        self, portfolio_id: str, limit: int, before: str | None = None
    ) -> list[tuple[str, Recommendation]]:
        """The newest, with their places in the list."""
        listed = [(r.id, r) for r in reversed(self._books.recommendations.values())]
        own = [pair for pair in listed if pair[1].portfolio_id == portfolio_id]
        start = [pair[0] for pair in own].index(before) + 1 if before else 0
        return own[start : start + limit]

    def unfinished(self, portfolio_id: str) -> list[Recommendation]:
        """Those on their way to an order or its end."""
        return [r for r in self._books.unfinished.values() if r.portfolio_id == portfolio_id]

    def outbox(self, limit: int) -> list[Recommendation]:
        """The oldest unsent."""
        return [r for r in self._books.unfinished.values() if r.execution_status == "pending"][
            :limit
        ]

    def queued(self, limit: int) -> list[Recommendation]:
        """Those that were sent and not acted on yet."""
        return [r for r in self._books.unfinished.values() if r.execution_status == "queued"][
            :limit
        ]


class MemoryOrders:
    """Orders as they are read."""

    def __init__(self, books: MemoryBooks) -> None:
        self._books = books

    def get(self, identifier: str) -> Order:
        """Read one. Raises NotFound."""
        found = self._books.orders.get(identifier)
        if found is None:
            raise NotFound("order", identifier)
        return found

    def some(self, identifiers: Sequence[str]) -> list[Order]:
        """Those of some orders that exist."""
        return [self._books.orders[i] for i in identifiers if i in self._books.orders]

    def open(self, symbol: str | None = None) -> list[Order]:
        """Resting orders by symbol and age."""
        symbols = sorted(self._books.resting) if symbol is None else [symbol]
        found = [o for s in symbols for o in self._books.resting.get(s, {}).values()]
        return sorted(found, key=lambda order: (order.symbol, order.created_at, order.id))


class MemorySignals:
    """The newest signal of each symbol."""

    def __init__(self) -> None:
        self.newest: dict[str, Signal] = {}

    def latest(self, symbol: str, since: datetime) -> list[Signal]:
        """The newest signal on a symbol, if it is not older than ``since``."""
        found = self.newest.get(symbol)
        return [found] if found is not None and found.time >= since else []


class MemoryRisk:
    """Limits and the marks that losses are measured from."""

    def __init__(self, books: MemoryBooks) -> None:
        self._books = books

    def limits(self, portfolio_id: str) -> RiskLimits:
        """The portfolio's limits. Raises NotFound for another one."""
        self._books.account(portfolio_id)
        return self._books.limits

    def put_limits(self, portfolio_id: str, limits: RiskLimits, read_version: int) -> None:
        """Replace the limits. Raises ConcurrentUpdate."""
        if self.limits(portfolio_id).version != read_version:
            raise ConcurrentUpdate("the limits are no longer what was read")
        self._books.limits = limits

    def watched(self) -> list[str]:
        """The portfolio, if it limits its losses."""
        return [self._books.owner.portfolio_id] if self._books.limits.needs_marks else []

    def marks(self, portfolio_id: str) -> EquityMarks | None:
        """The equity that losses are measured from."""
        self._books.account(portfolio_id)
        return self._books.marks

    def put_marks(self, portfolio_id: str, marks: EquityMarks, read: EquityMarks | None) -> None:
        """Write marks. Raises ConcurrentUpdate."""
        if self.marks(portfolio_id) is not read:
            raise ConcurrentUpdate("the marks are no longer what was read")
        self._books.marks = marks

    def put_tail(self, tail: Any) -> None:
        """Tail states are not measured in backtests. Raises NotImplementedError."""
        raise NotImplementedError("a backtest measures no tail state")

    def returns(self, symbols: Collection[str]) -> list[ReturnSeries]:  # noqa: ARG002
        """None are stored."""
        return []

    def put_returns(self, series: ReturnSeries) -> None:
        """Series of returns are not kept in backtests. Raises NotImplementedError."""
        raise NotImplementedError("a backtest keeps no series of returns")

    def decision_on(self, order: Order) -> Decision | None:
        """The verdict that a rejected order was rejected with."""
        return self._books.decisions.get(order.id)


class MemoryQueue:
    """Takes everything; the driver of the backtest then acts on it."""

    def send(self, recommendations: Sequence[Recommendation]) -> list[str]:
        """The ids of all that were given."""
        return [recommendation.id for recommendation in recommendations]


class MemoryStops:
    """No stops are armed: a backtest's exits are orders."""

    def of(self, portfolio_id: str) -> list[Stop]:  # noqa: ARG002
        """None."""
        return []

    def armed_on(self, symbol: str) -> dict[str, list[Stop]]:  # noqa: ARG002
        """None."""
        return {}


class MemoryDesk:
    """All that use cases need to trade one portfolio on a market of the past."""

    def __init__(self, account: Account, limits: RiskLimits, market: MemoryMarket) -> None:
        self.market = market
        self.books = MemoryBooks(account, limits, market)
        self.recommendations = MemoryRecommendations(self.books)
        self.orders = MemoryOrders(self.books)
        self.signals = MemorySignals()
        self.risk = MemoryRisk(self.books)
        self.queue = MemoryQueue()
        self.stops = MemoryStops()

    def wall_clock(self) -> datetime:
        """The time of the market: there is no other in a backtest."""
        return self.books.now(self.books.owner)
