"""Past exposures in the risk table."""

from __future__ import annotations

from datetime import datetime

from trading.adapters.dynamodb import keys
from trading.adapters.dynamodb.codec import decode, encode
from trading.adapters.dynamodb.store import Range, Store
from trading.domain.risk.exposure import ExposureSnapshot

MAX_SYMBOLS = 1000
"""How many holdings a snapshot lists, the largest first; a stored item has its bounds."""


class ExposureRepository:
    """Exposure snapshots by portfolio and time."""

    def __init__(self, source: Store, table: str) -> None:
        self._store = source
        self._table = table

    def record(self, snapshot: ExposureSnapshot) -> None:
        """Write a snapshot; one of the same moment is replaced by it."""
        largest = sorted(snapshot.symbols, key=lambda line: -abs(line.market_value))[:MAX_SYMBOLS]
        kept = snapshot.model_copy(update={"symbols": tuple(largest)})
        item = encode(kept) | keys.exposure(snapshot.portfolio_id, snapshot.time)
        self._store.put_item(self._table, item)

    def newest(
        self,
        portfolio_id: str,
        limit: int,
        before: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> list[tuple[str, ExposureSnapshot]]:
        """The newest snapshots, bounds inclusive, each with the place that it stands at."""
        low = keys.exposure(portfolio_id, start)["sk"] if start else "EXPOSURE#"
        high = keys.exposure(portfolio_id, end)["sk"] if end else "EXPOSURE#~"
        items = self._store.query(
            self._table,
            keys.portfolio(portfolio_id),
            Range(start=low, end=high),
            before=before,
            limit=limit,
            newest_first=True,
        )
        return [(item["sk"], decode(ExposureSnapshot, item)) for item in items]
