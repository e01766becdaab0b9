"""A portfolio's books in memory, changed by the same decisions and under the same guards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime

from trading.adapters.memory.market import MemoryMarket
from trading.domain.books import BookChange, Holding, Snapshot
from trading.domain.errors import ConcurrentUpdate, NotFound
from trading.domain.ledger import LedgerTransaction
from trading.domain.order import Fill, Order, OrderStatus
from trading.domain.portfolio import Account, Portfolio
from trading.domain.position import Position
from trading.domain.recommendation import Recommendation
from trading.domain.risk.engine import Decision
from trading.domain.risk.equity_marks import EquityMarks
from trading.domain.risk.limits import RiskLimits


class MemoryBooks:
    """One portfolio: account, positions, orders, fills, ledger, counters.

    ``done`` holds every fill with the position before and after it and the order that it is of.
    """

    def __init__(self, account: Account, limits: RiskLimits, market: MemoryMarket) -> None:
        self.owner = account
        self.limits = limits
        self.marks: EquityMarks | None = None
        self.positions: dict[str, Position] = {}
        self.orders: dict[str, Order] = {}
        self.resting: dict[str, dict[str, Order]] = {}
        self.recommendations: dict[str, Recommendation] = {}
        self.unfinished: dict[str, Recommendation] = {}
        self.ledger: list[LedgerTransaction] = []
        self.done: list[tuple[Fill, Order, Position, Position]] = []
        self.decisions: dict[str, Decision] = {}
        self.rejected: Counter[str] = Counter()
        self._accepted: Counter[date] = Counter()
        self._market = market

    def account(self, portfolio_id: str) -> Account:
        """The account. Raises NotFound for another portfolio."""
        if portfolio_id != self.owner.portfolio_id:
            raise NotFound("portfolio", portfolio_id)
        return self.owner

    def now(self, account: Account) -> datetime:
        """When the newest bar closed; before the first, when the account was made."""
        return self._market.clock() or account.created_at

    def portfolio(self, portfolio_id: str, *currencies: str) -> Portfolio:  # noqa: ARG002
        """The account with all positions and prices."""
        account = self.account(portfolio_id)
        prices = {price.symbol: price for price in self._market.latest_prices()}
        return Portfolio.trusted(
            account=account, positions=dict(self.positions), prices=prices, rates={}
        )

    def part(self, portfolio_id: str, symbols: Sequence[str]) -> Portfolio:
        """The account with some positions and prices."""
        whole = self.portfolio(portfolio_id)
        held = {s: p for s, p in whole.positions.items() if s in symbols}
        prices = {s: p for s, p in whole.prices.items() if s in symbols}
        return whole.model_copy(update={"positions": held, "prices": prices})

    def holders(self, portfolio_ids: Sequence[str], symbols: Sequence[str]) -> list[str]:
        """The portfolio, if it is asked for and holds one of the symbols."""
        held = any(p.quantity for s, p in self.positions.items() if s in symbols)
        return (
            [self.owner.portfolio_id] if held and self.owner.portfolio_id in portfolio_ids else []
        )

    def snapshot(self, portfolio_id: str, symbol: str, order_id: str, *links: str) -> Snapshot:
        """All that a decision on one order needs. Raises NotFound."""
        instrument = self._market.get_instrument(symbol)
        if instrument is None:
            raise NotFound("instrument", symbol)
        portfolio = self.portfolio(portfolio_id)
        now = self.now(portfolio.account)
        existing = self.orders.get(order_id)
        return Snapshot.trusted(
            portfolio=portfolio,
            instrument=instrument,
            limits=self.limits,
            trades_today=self._accepted[now.date()],
            existing=existing,
            linked=self._linked(existing, links),
            marks=self.marks,
            now=now,
        )

    def holding(self, portfolio_id: str, symbol: str, order_id: str) -> Holding:  # noqa: ARG002
        """What ending an order needs. Raises NotFound."""
        portfolio, existing = self.portfolio(portfolio_id), self.orders.get(order_id)
        return Holding.trusted(
            portfolio=portfolio,
            existing=existing,
            linked=self._linked(existing, ()),
            now=self.now(portfolio.account),
        )

    def _linked(self, order: Order | None, links: Sequence[str]) -> dict[str, Order]:
        ids = (*(order.linked_ids if order else ()), *links)
        return {i: self.orders[i] for i in ids if i in self.orders}

    def trades_on(self, portfolio_id: str, day: date) -> int:  # noqa: ARG002
        """How many orders were accepted on a day."""
        return self._accepted[day]

    def acted_on(self, portfolio_id: str, cause: str) -> str | None:  # noqa: ARG002
        """None: causes are acted on once here, as nothing is repeated."""
        return None

    def commit(self, change: BookChange) -> None:
        """Write a decision whole. Raises ConcurrentUpdate unless it was made from these books."""
        if change.before is not self.owner:
            raise ConcurrentUpdate("the account is no longer what was read")
        if change.order is not None:
            self._keep(change.order)
        for move in change.linked:
            self._keep(move.order)
        if change.recommendation is not None:
            self.keep_recommendation(change.recommendation)
        self._count(change)
        if change.counted_on is not None:
            self._accepted[change.counted_on] += 1
        if change.transaction is not None:
            self.ledger.append(change.transaction)
        if change.position is not None:
            self._hold(change, change.position)
        if change.account is not None:
            version = self.owner.version + 1
            self.owner = change.account.model_copy(update={"version": version})

    def _count(self, change: BookChange) -> None:
        """Count an order that risk refused."""
        order, decision = change.order, change.decision
        if order is None or decision is None or order.execution_status is not OrderStatus.REJECTED:
            return
        self.rejected[order.reason or ""] += 1
        self.decisions[order.id] = decision

    def _hold(self, change: BookChange, after: Position) -> None:
        """Replace a position, and remember the fill that changed it."""
        before = self.positions.get(after.symbol)
        self.positions[after.symbol] = after
        if change.fill is not None and change.order is not None:
            flat = before or Position(symbol=after.symbol, currency=after.currency)
            self.done.append((change.fill, change.order, flat, after))

    def _keep(self, order: Order) -> None:
        """Write an order, and whether it rests."""
        self.orders[order.id] = order
        resting = self.resting.setdefault(order.symbol, {})
        if order.is_open:
            resting[order.id] = order
        else:
            resting.pop(order.id, None)

    def keep_recommendation(self, recommendation: Recommendation) -> None:
        """Write a recommendation, and whether it is on its way."""
        self.recommendations[recommendation.id] = recommendation
        if recommendation.execution_status in _ON_THE_WAY:
            self.unfinished[recommendation.id] = recommendation
        else:
            self.unfinished.pop(recommendation.id, None)


_ON_THE_WAY = frozenset({"pending", "queued", "executing"})
