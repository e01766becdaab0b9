"""Instruments, prices, candles and the market clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from trading.adapters.dynamodb import keys
from trading.adapters.dynamodb.codec import Item, decode, encode
from trading.adapters.dynamodb.store import ConditionFailed, Range, Store
from trading.domain.candle import Candle, Price
from trading.domain.instrument import Instrument
from trading.domain.time import from_text, to_text

_NEWER = "attribute_not_exists(pk) OR #t < :t"
_TIME = {"#t": "time"}


class MarketRepository:
    """The market table."""

    def __init__(self, source: Store, table: str) -> None:
        self._store = source
        self._table = table

    def get_instrument(self, symbol: str) -> Instrument | None:
        """An instrument, or None."""
        item = self._store.get(self._table, keys.instrument(symbol))
        return decode(Instrument, item) if item else None

    def put_instrument(self, instrument: Instrument) -> bool:
        """Write an instrument; True if it is new."""
        item = encode(instrument) | keys.instrument(instrument.symbol)
        try:
            self._store.put_item(self._table, item, "attribute_not_exists(pk)")
        except ConditionFailed:
            self._store.put_item(self._table, item)
            return False
        return True

    def instruments(self) -> list[Instrument]:
        """All instruments by symbol."""
        return [decode(Instrument, i) for i in self._store.query(self._table, keys.INSTRUMENTS)]

    def newest_instruments(self, limit: int, before: str | None) -> list[tuple[str, Instrument]]:
        """Instruments by falling symbol, each with its place in the list."""
        items = self._store.query(
            self._table, keys.INSTRUMENTS, before=before, limit=limit, newest_first=True
        )
        return [(item["sk"], decode(Instrument, item)) for item in items]

    def record_candles(self, candles: Sequence[Candle]) -> dict[str, int]:
        """Write candles of one symbol and timeframe, in order of time.

        Those stored as they are cost no write. Returns how many were created, unchanged, replaced.
        """
        counts = {"created": 0, "unchanged": 0, "replaced": 0}
        if not candles:
            return counts
        first, last = candles[0], candles[-1]
        stored = {
            c.time: c for c in self.candles(first.symbol, first.timeframe, first.time, last.time)
        }
        changed = []
        for candle in candles:
            was = stored.get(candle.time)
            counts["created" if was is None else "unchanged" if was == candle else "replaced"] += 1
            if was != candle:
                changed.append(_candle_item(candle))
        self._store.put_many(self._table, changed)
        return counts

    def candles(
        self,
        symbol: str,
        timeframe: str,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int | None = None,
        newest_first: bool = False,
        before: str | None = None,
    ) -> list[Candle]:
        """Candles by opening time, bounds inclusive; ``before`` is an exclusive bound as text."""
        items = self._store.query(
            self._table,
            keys.candles(symbol, timeframe),
            Range(start=to_text(start) if start else None, end=to_text(end) if end else None),
            limit=limit,
            newest_first=newest_first,
            before=before,
            consistent=True,
        )
        return [decode(Candle, item) for item in items]

    def latest_prices(self, symbols: Sequence[str] | None = None) -> list[Price]:
        """Latest prices by symbol, of some symbols or of all; symbols without one lack."""
        if symbols is None:
            items = self._store.query(self._table, keys.PRICES, consistent=True)
        else:
            wanted = [(self._table, keys.price(symbol)) for symbol in sorted(set(symbols))]
            items = list(self._store.get_many(wanted).values())
        return sorted((decode(Price, item) for item in items), key=lambda p: p.symbol)

    def record_price(self, price: Price) -> bool:
        """Move a symbol's price forward in time; False, and nothing written, if it is not newer.

        The price before it is kept beside it, and the timeframe of the newest candle.
        """
        given = {
            k: v
            for k, v in encode(price).items()
            if k not in ("price", "previous") and v is not None
        }
        names = {f"#{name}": name for name in given}
        changes = ["previous = if_not_exists(price, :price)", "price = :price"]
        changes += [f"#{name} = :{name}" for name in given]
        gone = " REMOVE volume" if price.volume is None else ""
        values = {f":{name}": value for name, value in given.items()}
        try:
            self._store.update_item(
                self._table,
                keys.price(price.symbol),
                f"SET {', '.join(changes)}{gone}",
                {**values, ":price": price.price},
                "attribute_not_exists(pk) OR #time < :time",
                names,
            )
        except ConditionFailed:
            return False
        return True

    def matched_until(self, symbol: str) -> datetime | None:
        """Up to when the market of a symbol was shown to its resting orders, or None."""
        item = self._store.get(self._table, keys.matched(symbol))
        return from_text(item["time"]) if item else None

    def note_matched(self, symbol: str, until: datetime) -> None:
        """Move that moment forward; it never goes back."""
        self._forward({**keys.matched(symbol), "time": to_text(until)})

    def advance_clock(self, moment: datetime) -> None:
        """Move the market clock forward; it never goes back."""
        self._forward({**keys.CLOCK, "time": to_text(moment)})

    def clock(self) -> datetime | None:
        """The time of the newest price ever accepted, or None."""
        item = self._store.get(self._table, keys.CLOCK)
        return from_text(item["time"]) if item else None

    def _forward(self, item: Item) -> bool:
        """Write an item unless one of the same or a later ``time`` is there."""
        try:
            self._store.put_item(self._table, item, _NEWER, {":t": item["time"]}, _TIME)
        except ConditionFailed:
            return False
        return True


def _candle_item(candle: Candle) -> Item:
    """A candle's stored form; its time is its range key."""
    item = encode(candle)
    return item | {"pk": keys.candles(candle.symbol, candle.timeframe), "sk": item["time"]}
