"""A portfolio in memory that decides as the platform does, one change after another."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.domain.builders import ACME, NOW, UNLIMITED, account, price
from trading.domain.books import BookChange, Snapshot
from trading.domain.candle import Price
from trading.domain.ledger import LedgerTransaction
from trading.domain.matching import Observation, Phase, attempt, shown_to, venue_sequence
from trading.domain.order import Fill, Order, OrderStatus, OrderType, Side
from trading.domain.order_life import close, match, may_work, place, room_for, trusted
from trading.domain.order_request import OrderRequest, new_exits, new_order
from trading.domain.portfolio import Account, Portfolio
from trading.domain.position import Position
from trading.domain.risk.engine import Decision
from trading.domain.risk.limits import RiskLimits


class World:
    """Books as the tables would hold them, with the market shown to them as it happens."""

    def __init__(
        self,
        owner: Account | None = None,
        limits: RiskLimits = UNLIMITED,
        held: Position | None = None,
        mark: Price | None = None,
    ) -> None:
        self.account = owner or account(10_000)
        self.limits = limits
        self.position = held or Position(symbol="ACME", currency="USD")
        self.mark = mark or price(100)
        self.now = NOW
        self.orders: dict[str, Order] = {}
        self.fills: list[Fill] = []
        self.ledger: list[LedgerTransaction] = []
        self.decisions: list[Decision] = []
        self.accepted = 0

    def snapshot(self, order: Order | None = None, *link: str) -> Snapshot:
        """What a decision would be made from now."""
        known = self.orders.get(order.id) if order else None
        links = {*(known.linked_ids if known else ()), *link}
        return Snapshot(
            portfolio=Portfolio(
                account=self.account,
                positions={"ACME": self.position},
                prices={"ACME": self.mark},
            ),
            instrument=ACME,
            limits=self.limits,
            trades_today=self.accepted,
            existing=known,
            linked={i: self.orders[i] for i in links if i in self.orders},
            now=self.now,
        )

    def apply(self, change: BookChange) -> None:
        """Write a change as the tables would: guarded, whole."""
        assert change.before == self.account
        assert change.order is not None
        moves = [(change.order, change.order_was)]
        moves += [(move.order, move.was) for move in change.linked]
        for order, was in moves:
            assert self.orders.get(order.id) == was
            assert was is None or order.version > was.version
            self.orders[order.id] = order
        self.account = change.account or self.account
        self.position = change.position or self.position
        self.accepted += change.counted_on is not None
        if change.decision is not None:
            self.decisions.append(change.decision)
        if change.fill is not None:
            self.fills.append(change.fill)
        if change.transaction is not None:
            self.ledger.append(change.transaction)

    def ask(self, quantity: Decimal | int | str, side: Side = Side.BUY, **terms: Any) -> Order:
        """Place what a request asks for; returns the order as it stands."""
        cause = terms.pop("cause", f"test:{len(self.orders)}")
        kind = terms.pop("type", None)
        if kind is None:
            kind = OrderType.LIMIT if terms.get("limit_price") else OrderType.MARKET
        request = OrderRequest(
            portfolio_id="p",
            symbol="ACME",
            side=side,
            type=kind,
            quantity=Decimal(quantity),
            limit_price=_amount(terms.pop("limit_price", None)),
            stop_price=_amount(terms.pop("stop_price", None)),
            trail_percent=_amount(terms.pop("trail_percent", None)),
            take_profit=_amount(terms.pop("take_profit", None)),
            notional=_amount(terms.pop("notional", None)),
            cause=cause,
            correlation_id="c",
            **terms,
        )
        snapshot = self.snapshot(None, *request.touches)
        order = new_order(request, snapshot)
        self.apply(place(order, snapshot, None, new_exits(request, order, snapshot)))
        return self.orders[order.id]

    def see(self, seen: Observation) -> None:
        """Let the market move, and show it to what rests, as the matching service does."""
        previous = self.mark.price
        self.now = max(self.now, seen.time)
        self.mark = Price(
            symbol="ACME",
            price=seen.close,
            time=seen.time,
            source="test",
            previous=previous,
            volume=seen.volume,
        )
        shown: set[str] = set()
        while news := [o for o in self.resting() if o.id not in shown]:
            shown.update(order.id for order in news)
            for phase, order_id in venue_sequence(news, seen):
                self._show(self.orders[order_id], seen, phase)

    def _show(self, order: Order, seen: Observation, phase: Any) -> None:
        part = shown_to(order, seen) if order.is_open else None
        if part is None:
            return
        snapshot = self.snapshot(order)
        shown = part.start if phase is Phase.OPEN else part.time
        if order.expires_at is not None and shown > order.expires_at:
            self.apply(close(order, OrderStatus.EXPIRED, "over", snapshot))
            return
        if not trusted(part, snapshot) or not may_work(order, part, snapshot):
            return
        model, room = self.account.fill_model, room_for(order, part, snapshot)
        found = attempt(order, part, phase, model, ACME, room)
        if found is not None:
            self.apply(match(order, found, part, snapshot))

    def end(self, order: Order, status: OrderStatus = OrderStatus.CANCELLED) -> None:
        """End an order that rests."""
        self.apply(close(self.orders[order.id], status, "test", self.snapshot(order)))

    def resting(self) -> list[Order]:
        """The open orders."""
        return [order for order in self.orders.values() if order.is_open]

    def now_is(self, order: Order | str | None) -> Order:
        """An order as it stands now."""
        identifier = order.id if isinstance(order, Order) else order
        assert identifier is not None
        return self.orders[identifier]

    def check_promises(self) -> None:
        """What is promised is exactly what the open orders say, and there is enough of it."""
        resting = self.resting()
        assert self.account.open_orders == len(resting)
        cash = sum((o.reserved_cash for o in resting), Decimal(0))
        assert self.account.reserved.get("USD", Decimal(0)) == cash
        units = sum((o.reserved_quantity for o in resting), Decimal(0))
        assert self.position.reserved_quantity == units
        notional = sum((o.reserved_notional for o in resting), Decimal(0))
        assert self.position.reserved_notional == notional
        for order in self.orders.values():
            kept = order.reserved_cash + order.reserved_quantity + order.reserved_notional
            assert order.is_open or kept == 0


def _amount(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)
