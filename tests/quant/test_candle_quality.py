"""What is odd about candles is reported, and nothing is done about it."""

from __future__ import annotations

import numpy as np

from trading.quant.candle_quality import quality
from trading.quant.strategies.candles import Candles

HOUR = 3600.0
MONDAY = 4 * 86_400.0
"""The first Monday of 1970."""


def week(bars: int = 120) -> Candles:
    draw = np.random.default_rng(1)
    close = 100 * np.exp(np.cumsum(draw.normal(0, 0.001, bars)))
    time = MONDAY + np.arange(bars) * HOUR
    return Candles("A", "1h", time, close, close * 1.01, close * 0.99, close, np.ones(bars))


def without(candles: Candles, *places: int) -> Candles:
    kept = np.delete(np.arange(len(candles)), places)
    names = ("time", "open", "high", "low", "close", "volume")
    return Candles("A", "1h", *(getattr(candles, n)[kept] for n in names))


def test_a_clean_week_has_no_findings() -> None:
    assert quality(week()).findings == ()


def test_a_gap_is_counted_and_a_weekend_is_none() -> None:
    found = quality(without(week(), 10, 11, 50))
    assert (found.missing, found.count("gap")) == (3, 2)
    assert found.findings[0].time == MONDAY + 10 * HOUR
    friday = week(120)
    again = week(24)
    joined = Candles(
        "A",
        "1h",
        np.append(friday.time, again.time + 7 * 86_400),
        *(
            np.append(getattr(friday, n), getattr(again, n))
            for n in ("open", "high", "low", "close", "volume")
        ),
    )
    assert quality(joined).missing == 0


def test_duplicates_disorder_and_impossible_bars_are_named() -> None:
    odd = week()
    odd.time[5] = odd.time[4]
    odd.time[8] = odd.time[6] - HOUR
    odd.high[20] = 1.0
    odd.volume[30] = 0.0
    found = quality(odd)
    assert found.count("duplicate") == 1
    assert found.count("unsorted") == 1
    assert found.count("impossible") == 1
    assert found.count("no volume") == 1


def test_an_outlier_is_found_both_ways_and_left_in_place() -> None:
    odd = week()
    odd.close[60] *= 1.5
    before = odd.close.copy()
    found = quality(odd)
    outliers = [f for f in found.findings if f.kind == "outlier"]
    assert [f.time for f in outliers] == [MONDAY + 60 * HOUR, MONDAY + 61 * HOUR]
    assert (odd.close == before).all()
