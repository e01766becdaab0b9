"""Candles as the platform keeps them: bulk history in the archive, the newest in the table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from trading.adapters.dynamodb.market import MarketRepository
from trading.adapters.s3.candle_archive import CandleArchive
from trading.domain.errors import InvalidInput
from trading.quant.simulation.market import Market
from trading.quant.strategies.candles import Candles, columns_of, joined


class StoredCandles:
    """Both stores as one history; where both have a bar, the archive's counts."""

    def __init__(self, archive: CandleArchive, recent: MarketRepository) -> None:
        self._archive = archive
        self._recent = recent

    def has(self, symbol: str, timeframe: str) -> bool:
        """Whether there are any candles of a symbol."""
        recent = self._recent.candles(symbol, timeframe, limit=1)
        return bool(recent) or self._archive.has(symbol, timeframe)

    def market(
        self,
        symbols: Sequence[str],
        timeframe: str,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Market:
        """The candles of some symbols that open at or after ``start`` and before ``end``.

        Raises InvalidInput naming the symbol that has none, or what is wrong with a candle.
        """
        found = []
        for place, symbol in enumerate(symbols):
            candles = self._of(symbol, timeframe, start, end)
            if candles is None:
                raise InvalidInput(
                    f"symbols.{place}",
                    f"there are no {timeframe} candles of '{symbol}'"
                    + (" in that time" if start or end else "; store some first"),
                )
            found.append(candles)
        return Market.of(found)

    def _of(
        self, symbol: str, timeframe: str, start: datetime | None, end: datetime | None
    ) -> Candles | None:
        """One symbol's candles, or None; the table is asked for what follows the archive only."""
        old = self._archive.get(symbol, timeframe, start, end)
        kept_until = None if old is None else datetime.fromtimestamp(float(old.time[-1]), UTC)
        listed = [
            candle
            for candle in self._recent.candles(symbol, timeframe, kept_until or start, end)
            if (end is None or candle.time < end)
            and (kept_until is None or candle.time > kept_until)
        ]
        if not listed:
            return old
        new = columns_of(listed)
        return new if old is None else joined([old, new])
