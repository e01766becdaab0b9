"""How well signals have foretold what prices did next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from trading.domain.money import ZERO, average
from trading.domain.signal import Signal
from trading.domain.time import timeframe_length
from trading.ports import CandleHistory


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
    """Compare each signal's price with the close ``horizon`` bars after it, by strategy."""
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
        if signal.score != ZERO and signal.price and (signal.timeframe or timeframe) == timeframe:
            by_symbol[signal.symbol].append(signal)
    outcomes: dict[str, Decimal] = {}
    for symbol, group in by_symbol.items():
        start = min(s.time for s in group) - timeframe_length(timeframe)
        end = (
            max(s.time for s in group)
            + timedelta(days=10)
            + horizon * 2 * (timeframe_length(timeframe))
        )
        bars = candles.candles(symbol, timeframe, start=start, end=end)
        closes = [bar.close for bar in bars]
        place = {bar.close_time: i for i, bar in enumerate(bars)}
        for signal in group:
            at = place.get(signal.time)
            if at is None or at + horizon >= len(closes) or signal.price is None:
                continue
            change = average(closes[at + horizon], signal.price) - 1
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
