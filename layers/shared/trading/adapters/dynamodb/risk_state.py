"""Limits and decisions in the risk table."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from trading.adapters.dynamodb import keys, store
from trading.adapters.dynamodb.codec import decode, encode
from trading.adapters.dynamodb.store import ConditionFailed, Range, Store
from trading.domain.errors import ConcurrentUpdate
from trading.domain.order import Order
from trading.domain.portfolio import Portfolio
from trading.domain.risk.engine import Decision
from trading.domain.risk.equity_marks import EquityMarks
from trading.domain.risk.limits import RiskLimits
from trading.domain.risk.tail import ReturnSeries, TailState

LOOKED_AT_ONCE = 200
MOST_LOOKED_AT = 1000


class RiskRepository:
    """The risk table."""

    def __init__(self, source: Store, table: str) -> None:
        self._store = source
        self._table = table

    def limits(self, portfolio_id: str) -> RiskLimits:
        """A portfolio's limits; the defaults if none were set."""
        return decode(RiskLimits, self._store.get(self._table, keys.limits(portfolio_id)) or {})

    def put_limits(self, portfolio_id: str, limits: RiskLimits, read_version: int) -> None:
        """Replace the limits, and list the portfolio for its losses to be watched if they are.

        Raises ConcurrentUpdate if the limits changed since they were read.
        """
        item = encode(limits) | keys.limits(portfolio_id)
        guard, values = "attribute_not_exists(pk) OR version = :read", {":read": read_version}
        place = keys.watched(portfolio_id)
        listing = (
            store.put("watched", self._table, dict(place))
            if limits.needs_marks
            else store.delete("watched", self._table, place)
        )
        try:
            self._store.transact([store.put("limits", self._table, item, guard, values), listing])
        except ConditionFailed as error:
            raise ConcurrentUpdate("the limits were changed meanwhile") from error

    def watched(self) -> list[str]:
        """The portfolios that have a limit on what they may lose."""
        return [item["sk"] for item in self._store.query(self._table, keys.WATCHED)]

    def marks(self, portfolio_id: str) -> EquityMarks | None:
        """The equity that a portfolio's losses are measured from, if it was ever recorded."""
        item = self._store.get(self._table, keys.marks(portfolio_id))
        return decode(EquityMarks, item) if item else None

    def put_marks(self, portfolio_id: str, marks: EquityMarks, read: EquityMarks | None) -> None:
        """Write marks. Raises ConcurrentUpdate if they changed since ``read`` was read."""
        try:
            self._store.put_item(
                self._table,
                encode(marks) | keys.marks(portfolio_id),
                "attribute_not_exists(pk)" if read is None else "version = :read",
                {} if read is None else {":read": read.version},
            )
        except ConditionFailed as error:
            raise ConcurrentUpdate("the equity marks were changed meanwhile") from error

    def tail(self, portfolio_id: str) -> TailState | None:
        """A portfolio's tail state as it was computed last, without any series of returns."""
        item = self._store.get(self._table, keys.tail(portfolio_id))
        return decode(TailState, item) if item else None

    def put_tail(self, tail: TailState) -> None:
        """Replace a portfolio's tail state."""
        self._store.put_item(self._table, encode(tail) | keys.tail(tail.portfolio_id))

    def returns(self, symbols: Collection[str]) -> list[ReturnSeries]:
        """The series of returns of those of these symbols that have one."""
        found = self._store.get_many([(self._table, keys.returns(s)) for s in sorted(symbols)])
        return [decode(ReturnSeries, item) for item in found.values()]

    def put_returns(self, series: ReturnSeries) -> None:
        """Replace a symbol's series of returns."""
        self._store.put_item(self._table, encode(series) | keys.returns(series.symbol))

    def tail_for(
        self, portfolio: Portfolio, symbol: str, limits: RiskLimits
    ) -> tuple[TailState | None, Decimal | None]:
        """What the limits in force need to judge an order for ``symbol``; nothing more is read.

        The tail state with the series of what changed since it was computed, and the symbol's
        annualised volatility; None where it is not needed or was never computed.
        """
        if not limits.needs_tail and limits.max_volatility_percent is None:
            return None, None
        tail = self.tail(portfolio.account.portfolio_id) if limits.needs_tail else None
        changed = tail.changed(portfolio) if tail else ()
        series = self.returns({symbol, *changed})
        volatility = next((s.volatility for s in series if s.symbol == symbol), None)
        return tail.with_returns(series) if tail else None, volatility

    def decision_on(self, order: Order) -> Decision | None:
        """The verdict that a rejected order was refused with, be it when its stop went off."""
        key = keys.decision(order.portfolio_id, order.updated_at, order.id)
        item = self._store.get(self._table, key)
        return decode(Decision, item) if item else None

    def decisions(
        self,
        portfolio_id: str,
        limit: int,
        before: str | None = None,
        symbol: str | None = None,
        passed: bool | None = None,
    ) -> tuple[list[Decision], str | None]:
        """The newest verdicts (of a symbol, of an outcome), and the place to go on below.

        One call looks at ``MOST_LOOKED_AT`` verdicts at most, so that a rare one costs no more
        than that: what it finds may be less than ``limit`` although there are more to come.
        """
        found: list[Decision] = []
        place, looked_at = before, 0
        batch = limit if symbol is None and passed is None else max(limit, LOOKED_AT_ONCE)
        while looked_at < MOST_LOOKED_AT:
            items = self._store.query(
                self._table,
                keys.portfolio(portfolio_id),
                Range(prefix="DECISION#"),
                before=place,
                limit=batch + 1,
                newest_first=True,
            )
            for item in items[:batch]:
                decision = decode(Decision, item)
                place = item["sk"]
                if symbol in (None, decision.symbol) and passed in (None, decision.passed):
                    found.append(decision)
                    if len(found) == limit:
                        more = item is not items[-1]
                        return found, place if more else None
            looked_at += batch
            if len(items) <= batch:
                return found, None
        return found, place
