"""Signals, found by symbol, by strategy, or simply the newest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from trading.adapters.dynamodb import keys, store
from trading.adapters.dynamodb.codec import Item, decode, encode
from trading.adapters.dynamodb.counters import counter, read_counters
from trading.adapters.dynamodb.store import ConditionFailed, Range, Store
from trading.domain.errors import ConcurrentUpdate
from trading.domain.signal import Signal
from trading.domain.time import to_text

COUNT = "signals"
_PAGE = 200
_END = "~"


@dataclass(frozen=True)
class SignalFilter:
    """What to list; None does not filter. Bounds of ``time`` are inclusive."""

    symbol: str | None = None
    source: str | None = None
    strategy: str | None = None
    start: datetime | None = None
    end: datetime | None = None

    def admits(self, signal: Signal) -> bool:
        """Whether a signal fits what no index has filtered."""
        wanted = (self.symbol, self.source, self.strategy)
        found = (signal.symbol, signal.source, signal.strategy)
        return all(w is None or w == f for w, f in zip(wanted, found, strict=True))


class SignalRepository:
    """The signals table."""

    def __init__(self, source: Store, table: str) -> None:
        self._store = source
        self._table = table

    def record(self, signals: Sequence[Signal]) -> tuple[int, int]:
        """Write signals that are new, each with its counter; returns (created, unchanged).

        Raises ConcurrentUpdate if another writer was busy with the same counter.
        """
        wanted = [(self._table, _key(signal)) for signal in signals]
        known = {(pk, sk) for _, pk, sk in self._store.get_many(wanted)}
        fresh = {(_key(s)["pk"], _key(s)["sk"]): s for s in signals}
        created = [signal for place, signal in fresh.items() if place not in known]
        half = store.MAX_TRANSACTION // 2
        for start in range(0, len(created), half):
            self._write(created[start : start + half])
        return len(created), len(signals) - len(created)

    def _write(self, signals: Sequence[Signal]) -> None:
        """Write new signals and count them, all or nothing."""
        counts = Counter(keys.strategy(s.source, s.strategy) for s in signals)
        writes = [store.put_new("signal", self._table, _item(signal)) for signal in signals]
        writes += [counter(self._table, name, {COUNT: n}) for name, n in counts.items()]
        try:
            self._store.transact(writes)
        except ConditionFailed as error:
            raise ConcurrentUpdate("the same signals were written meanwhile") from error

    def newest(
        self, wanted: SignalFilter, limit: int, before: str | None = None
    ) -> list[tuple[str, Signal]]:
        """Signals that fit, newest first, each with its place in the list.

        The narrowest index is read; what it does not filter is passed over while reading.
        """
        found: list[tuple[str, Signal]] = []
        while len(found) < limit:
            page = self._page(wanted, before)
            for item in page:
                before = item["sk"]
                signal = decode(Signal, item)
                if wanted.admits(signal):
                    found.append((item["sk"], signal))
                    if len(found) == limit:
                        return found
            if len(page) < _PAGE:
                return found
        return found

    def _page(self, wanted: SignalFilter, before: str | None) -> list[Item]:
        start = to_text(wanted.start) if wanted.start else None
        end = to_text(wanted.end) + _END if wanted.end else None
        partition, index = keys.RECENT_SIGNALS, "recent"
        if wanted.symbol is not None:
            partition, index = keys.signals_of(wanted.symbol), ""
        elif wanted.source is not None and wanted.strategy is not None:
            partition, index = keys.strategy(wanted.source, wanted.strategy), "by_strategy"
        return self._store.query(
            self._table,
            partition,
            Range(start=start, end=end),
            index=index or None,
            before=before,
            limit=_PAGE,
            newest_first=True,
        )

    def latest(self, symbol: str, since: datetime) -> list[Signal]:
        """The newest signal of each source and strategy on a symbol, none older than ``since``."""
        items = self._store.query(
            self._table,
            keys.signals_of(symbol),
            Range(start=to_text(since)),
            newest_first=True,
            limit=_PAGE,
            consistent=True,
        )
        newest: dict[tuple[str, str], Signal] = {}
        for signal in (decode(Signal, item) for item in items):
            newest.setdefault((signal.source, signal.strategy), signal)
        return list(newest.values())

    def counts(self) -> dict[tuple[str, str], int]:
        """How many signals there ever were, by source and strategy."""
        return {
            (name.split("#", 1)[0], name.split("#", 1)[1]): states.get(COUNT, 0)
            for name, states in read_counters(self._store, self._table).items()
        }


def _key(signal: Signal) -> keys.Key:
    return {"pk": keys.signals_of(signal.symbol), "sk": keys.timed(signal.time, signal.id)}


def _item(signal: Signal) -> Item:
    """A signal's stored form with its places in the indexes."""
    key = _key(signal)
    return {
        **encode(signal),
        **key,
        "recent_pk": keys.RECENT_SIGNALS,
        "recent_sk": key["sk"],
        "strategy_pk": keys.strategy(signal.source, signal.strategy),
        "strategy_sk": key["sk"],
    }
