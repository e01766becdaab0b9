"""Reads a stretch of history from a venue, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from trading.domain.candle import Candle
from trading.domain.errors import Unavailable
from trading.domain.instrument import Instrument
from trading.domain.time import timeframe_length
from trading.usecases.fetch_candles import CandleSource

EMPTY_BARS = 500
"""A page is at most this long, so that an empty one tells that there are no candles in it."""


def history_pages(
    source: CandleSource,
    instrument: Instrument,
    timeframe: str,
    start: datetime,
    end: datetime,
    now: datetime,
) -> Iterator[list[Candle]]:
    """The closed candles that open at or after ``start`` and before ``end``, oldest page first.

    Where a venue answers none, it is asked for what comes ``EMPTY_BARS`` later. Raises Unavailable
    where it does not answer, or goes back in time.
    """
    length = timeframe_length(timeframe)
    since = start
    while since < end:
        fetched = source.candles(instrument, timeframe, since)
        page = [c for c in fetched if since <= c.time < end and c.close_time <= now]
        if any(b.time <= a.time for a, b in pairwise(page)):
            raise Unavailable("the venue's candles do not rise in time")
        if page:
            yield page
            since = page[-1].time + length
        else:
            since += EMPTY_BARS * length
