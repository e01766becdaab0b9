"""Limits, decisions and stops in the risk table."""

from __future__ import annotations

from trading.adapters.dynamodb import keys
from trading.adapters.dynamodb.codec import decode, encode
from trading.adapters.dynamodb.store import ConditionFailed, Range, Store
from trading.domain.errors import ConcurrentUpdate
from trading.domain.risk.engine import Decision
from trading.domain.risk.limits import RiskLimits
from trading.domain.risk.stop import Stop


class RiskRepository:
    """The risk table."""

    def __init__(self, source: Store, table: str) -> None:
        self._store = source
        self._table = table

    def limits(self, portfolio_id: str) -> RiskLimits:
        """A portfolio's limits; the defaults if none were set."""
        return decode(RiskLimits, self._store.get(self._table, keys.limits(portfolio_id)) or {})

    def put_limits(self, portfolio_id: str, limits: RiskLimits, read_version: int) -> None:
        """Replace the limits. Raises ConcurrentUpdate if they changed since they were read."""
        try:
            self._store.put_item(
                self._table,
                encode(limits) | keys.limits(portfolio_id),
                "attribute_not_exists(pk) OR version = :read",
                {":read": read_version},
            )
        except ConditionFailed as error:
            raise ConcurrentUpdate("the limits were changed meanwhile") from error

    def decisions(
        self, portfolio_id: str, limit: int, before: str | None = None
    ) -> list[tuple[str, Decision]]:
        """The newest verdicts, each with the place in the list that it stands at."""
        items = self._store.query(
            self._table,
            keys.portfolio(portfolio_id),
            Range(prefix="DECISION#"),
            before=before,
            limit=limit,
            newest_first=True,
        )
        return [(item["sk"], decode(Decision, item)) for item in items]

    def stops(self, portfolio_id: str) -> list[Stop]:
        """A portfolio's stops by symbol."""
        items = self._store.query(
            self._table, keys.portfolio(portfolio_id), Range(prefix="STOP#"), consistent=True
        )
        return [decode(Stop, item) for item in items]

    def put_stop(self, stop: Stop, read_version: int) -> None:
        """Write a stop. Raises ConcurrentUpdate if it changed since it was read."""
        try:
            self._store.put_item(
                self._table,
                encode(stop) | keys.stop(stop.portfolio_id, stop.symbol, stop.id),
                "attribute_not_exists(pk) OR version = :read",
                {":read": read_version},
            )
        except ConditionFailed as error:
            raise ConcurrentUpdate(f"stop '{stop.id}' was changed meanwhile") from error
