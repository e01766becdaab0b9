"""How well signals have foretold what prices did next."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from trading.domain.money import ZERO, average
from trading.domain.signal import Signal
from trading.domain.time import timeframe_length
from trading.ports import CandleHistory

CLOSED_DAYS = timedelta(days=10)
"""Longer than any market stays closed: how far around the signals candles are looked for."""


@dataclass(frozen=True)
class Quality:
    """One strategy's record: hit rate and mean return in the foretold direction, as fractions.

    ``scored`` signals had a price ``horizon`` bars later; signals with score 0 foretell nothing.
    """

    source: str
    strategy: str
    signals: int
    scored: int
    hit_rate: Decimal | None
    mean_return: Decimal | None


def measure_quality(
    signals: Sequence[Signal], candles: CandleHistory, timeframe: str, horizon: int
) -> list[Quality]:
    """Compare each signal's price with the close ``horizon`` bars after it, by strategy.

    Bars count from the newest one that had closed by the signal's time; its close stands in for
    the price of a signal that came without one.
    """
    groups: dict[tuple[str, str], list[Signal]] = defaultdict(list)
    for signal in signals:
        groups[(signal.source, signal.strategy)].append(signal)
    outcomes = _outcomes(signals, candles, timeframe, horizon)
    return [_quality(key, group, outcomes) for key, group in sorted(groups.items())]


def _outcomes(
    signals: Sequence[Signal], candles: CandleHistory, timeframe: str, horizon: int
) -> dict[str, Decimal]:
    """Return by signal id: later price / signal price - 1, signed by the signal's direction."""
    by_symbol: dict[str, list[Signal]] = defaultdict(list)
    for signal in signals:
        if signal.score != ZERO and (signal.timeframe or timeframe) == timeframe:
            by_symbol[signal.symbol].append(signal)
    length = timeframe_length(timeframe)
    outcomes: dict[str, Decimal] = {}
    for symbol, group in by_symbol.items():
        times = [signal.time for signal in group]
        start = min(times) - CLOSED_DAYS - length
        end = max(times) + CLOSED_DAYS + 2 * horizon * length
        bars = candles.candles(symbol, timeframe, start=start, end=end)
        known_at = [bar.close_time for bar in bars]
        for signal in group:
            at = bisect_right(known_at, signal.time) - 1
            if at < 0 or at + horizon >= len(bars):
                continue
            change = average(bars[at + horizon].close, signal.price or bars[at].close) - 1
            outcomes[signal.id] = change if signal.score > ZERO else -change
    return outcomes


def _quality(
    key: tuple[str, str], group: Sequence[Signal], outcomes: dict[str, Decimal]
) -> Quality:
    results = [outcomes[s.id] for s in group if s.id in outcomes]
    count = Decimal(len(results))
    hits = Decimal(sum(result > ZERO for result in results))
    return Quality(
        source=key[0],
        strategy=key[1],
        signals=len(group),
        scored=len(results),
        hit_rate=average(hits, count) if results else None,
        mean_return=average(sum(results, ZERO), count) if results else None,
    )
