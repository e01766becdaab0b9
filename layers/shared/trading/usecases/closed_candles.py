"""The newest candles that are complete."""

from __future__ import annotations

from datetime import datetime

from trading.domain.candle import Candle
from trading.ports import CandleHistory


def closed_candles(
    history: CandleHistory, symbol: str, timeframe: str, bars: int, now: datetime
) -> list[Candle]:
    """At least ``bars`` of them where so many are stored, one more at most; oldest first.

    One more is read than is asked for, as the newest may still be open.
    """
    newest = history.candles(symbol, timeframe, limit=bars + 1, newest_first=True)
    return [candle for candle in reversed(newest) if candle.close_time <= now]
