"""Orders and fills as they are read."""

from __future__ import annotations

from collections.abc import Sequence

from trading.adapters.dynamodb import keys
from trading.adapters.dynamodb.codec import M, decode
from trading.adapters.dynamodb.counters import read_counters
from trading.adapters.dynamodb.store import Range, Store
from trading.domain.errors import NotFound
from trading.domain.order import Fill, Order


class OrderRepository:
    """The orders table. Orders are written only together with the books (``books.py``)."""

    def __init__(self, source: Store, table: str) -> None:
        self._store = source
        self._table = table

    def get(self, identifier: str) -> Order:
        """Read one. Raises NotFound."""
        item = self._store.get(self._table, keys.order(identifier))
        if item is None:
            raise NotFound("order", identifier)
        return decode(Order, item)

    def some(self, identifiers: Sequence[str]) -> list[Order]:
        """Read those of some orders that exist."""
        places = [(self._table, keys.order(identifier)) for identifier in identifiers]
        return [decode(Order, item) for item in self._store.get_many(places).values()]

    def fills_of(self, order_id: str) -> list[Fill]:
        """An order's fills."""
        pk = keys.order(order_id)["pk"]
        items = self._store.query(self._table, pk, Range(prefix="FILL#"), consistent=True)
        return [decode(Fill, item) for item in items]

    def newest(
        self, portfolio_id: str, limit: int, before: str | None = None
    ) -> list[tuple[str, Order]]:
        """A portfolio's newest orders, each with the place in the list that it stands at."""
        return self._newest(Order, keys.orders_of(portfolio_id), limit, before)

    def newest_fills(
        self, portfolio_id: str, limit: int, before: str | None = None
    ) -> list[tuple[str, Fill]]:
        """A portfolio's newest fills, each with the place in the list that it stands at."""
        return self._newest(Fill, keys.fills_of(portfolio_id), limit, before)

    def _newest(
        self, model: type[M], partition: str, limit: int, before: str | None
    ) -> list[tuple[str, M]]:
        items = self._store.query(
            self._table,
            partition,
            index="by_portfolio",
            before=before,
            limit=limit,
            newest_first=True,
        )
        return [(item["portfolio_sk"], decode(model, item)) for item in items]

    def open(self, symbol: str | None = None) -> list[Order]:
        """Resting orders by symbol and age, of one symbol or of all."""
        within = Range(prefix=f"{symbol}#") if symbol else None
        items = self._store.query(self._table, keys.OPEN_ORDERS, within, index="open")
        return [decode(Order, item) for item in items]

    def counts(self) -> dict[str, dict[str, int]]:
        """How many orders stand in each state (``rejected#<reason>``), by portfolio."""
        return read_counters(self._store, self._table)
