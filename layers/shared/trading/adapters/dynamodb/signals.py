"""Signals, found by symbol, by strategy, or simply the newest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice

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

    def admits(self, source: str, strategy: str) -> bool:
        """Whether a source's strategy is wanted."""
        return self.source in (None, source) and self.strategy in (None, strategy)

    @property
    def span(self) -> Range:
        """The bounds of time as bounds of the range key."""
        return Range(
            start=to_text(self.start) if self.start else None,
            end=to_text(self.end) + _END if self.end else None,
        )


class SignalRepository:
    """The signals table."""

    def __init__(self, source: Store, table: str) -> None:
        self._store = source
        self._table = table

    def record(self, signals: Sequence[Signal]) -> tuple[int, int]:
        """Write signals that are new, each with its counter; returns (created, unchanged).

        Raises ConcurrentUpdate if another writer was busy with the same counter.
        """
        once = {signal.id: signal for signal in signals}
        places = {identifier: _key(signal) for identifier, signal in once.items()}
        known = self._store.get_many([(self._table, place) for place in places.values()])
        created = [
            signal
            for identifier, signal in once.items()
            if (self._table, places[identifier]["pk"], places[identifier]["sk"]) not in known
        ]
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

    def stored(self, signal: Signal) -> Signal | None:
        """The signal that is kept under the same id, symbol and time."""
        item = self._store.get(self._table, _key(signal))
        return decode(Signal, item) if item else None

    def newest(
        self, wanted: SignalFilter, limit: int, before: str | None = None
    ) -> list[tuple[str, Signal]]:
        """Signals that fit, newest first, each with its place in the list.

        Without a symbol no more than ``limit`` are read of each strategy that fits; with one, the
        symbol's signals are read until enough fit.
        """
        if wanted.symbol is not None:
            return self._of_symbol(wanted.symbol, wanted, limit, before)
        if wanted.source is None and wanted.strategy is None:
            partitions = [("recent", keys.RECENT_SIGNALS)]
        else:
            fitting = [name for name in self.counts() if wanted.admits(*name)]
            partitions = [("by_strategy", keys.strategy(*name)) for name in fitting]
        lists = [self._page(pk, index, wanted, limit, before) for index, pk in partitions]
        found = islice(merge(*lists, key=lambda item: str(item["sk"]), reverse=True), limit)
        return [(item["sk"], decode(Signal, item)) for item in found]

    def _of_symbol(
        self, symbol: str, wanted: SignalFilter, limit: int, before: str | None
    ) -> list[tuple[str, Signal]]:
        """A symbol's signals, passing over those of other strategies."""
        found: list[tuple[str, Signal]] = []
        while True:
            page = self._page(keys.signals_of(symbol), None, wanted, _PAGE, before)
            fitting = (i for i in page if wanted.admits(i["source"], i["strategy"]))
            found += [(item["sk"], decode(Signal, item)) for item in fitting]
            if len(found) >= limit or len(page) < _PAGE:
                return found[:limit]
            before = page[-1]["sk"]

    def _page(
        self, pk: str, index: str | None, wanted: SignalFilter, limit: int, before: str | None
    ) -> list[Item]:
        return self._store.query(
            self._table,
            pk,
            wanted.span,
            index=index,
            before=before,
            limit=limit,
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
