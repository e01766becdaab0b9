"""Stops in the risk table, and the list of armed ones by symbol."""

from __future__ import annotations

from trading.adapters.dynamodb import keys, store
from trading.adapters.dynamodb.codec import decode, encode
from trading.adapters.dynamodb.store import ConditionFailed, Range, Store, Write
from trading.domain.errors import ConcurrentUpdate
from trading.domain.risk.stop import Stop, StopState


class StopRepository:
    """Stops by portfolio, and those that are armed by symbol.

    The second list is what a price looks at: its items hold no more than where the stop is, and
    come and go in one transaction with the stop's state.
    """

    def __init__(self, source: Store, table: str) -> None:
        self._store = source
        self._table = table

    def of(self, portfolio_id: str) -> list[Stop]:
        """A portfolio's stops by symbol."""
        items = self._store.query(
            self._table, keys.portfolio(portfolio_id), Range(prefix="STOP#"), consistent=True
        )
        return [decode(Stop, item) for item in items]

    def armed_on(self, symbol: str) -> dict[str, list[Stop]]:
        """The armed stops on a symbol, by portfolio."""
        lines = self._store.query(self._table, keys.armed_stops(symbol), consistent=True)
        places = [keys.stop(line["portfolio_id"], symbol, line["id"]) for line in lines]
        found = self._store.get_many([(self._table, place) for place in places])
        by_portfolio: dict[str, list[Stop]] = {}
        for stop in (decode(Stop, item) for item in found.values()):
            if stop.state is StopState.ARMED:
                by_portfolio.setdefault(stop.portfolio_id, []).append(stop)
        return by_portfolio

    def put(self, stop: Stop, was: Stop | None) -> Stop:
        """Write a stop under the version after that of ``was``, the stop as it was read.

        Returns it as it is kept. Raises ConcurrentUpdate, with nothing written, if it is no
        longer as it was.
        """
        version = was.version if was else 0
        kept = stop.model_copy(update={"version": version + 1})
        item = encode(kept)
        place = keys.stop(stop.portfolio_id, stop.symbol, stop.id)
        guard, values = "attribute_not_exists(pk) OR version = :read", {":read": version}
        try:
            if was is not None and was.state is stop.state:
                # Alone it costs half of what it would in a transaction.
                self._store.put_item(self._table, item | place, guard, values)
            else:
                saved = store.put("stop", self._table, item | place, guard, values)
                self._store.transact([saved, self._listing(stop)])
        except ConditionFailed as error:
            raise ConcurrentUpdate(f"stop '{stop.id}' was changed meanwhile") from error
        return kept

    def _listing(self, stop: Stop) -> Write:
        """Put the stop on its symbol's list of armed ones, or take it off."""
        place = keys.armed_stop(stop.portfolio_id, stop.symbol, stop.id)
        if stop.state is StopState.ARMED:
            line = {**place, "portfolio_id": stop.portfolio_id, "id": stop.id}
            return store.put("armed", self._table, line)
        return store.delete("armed", self._table, place)
