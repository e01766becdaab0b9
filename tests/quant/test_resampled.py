"""Longer bars are made of complete shorter ones, and known when their last bar has closed."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.candles import course
from trading.domain.errors import InvalidInput
from trading.quant.strategies.strategy import Candles, columns_of

MONDAY = datetime(2024, 1, 1, tzinfo=UTC)


def hours(count: int, start: datetime = MONDAY) -> Candles:
    prices = [100 + (7 * i) % 13 for i in range(count)]
    return columns_of(course(prices, timeframe="1h", start=start))


def test_four_hours_make_a_bar_with_their_extremes_and_their_volume() -> None:
    candles = hours(9)
    longer = candles.resampled("4h")
    assert longer.timeframe == "4h"
    assert longer.time.tolist() == candles.time[[0, 4]].tolist()
    assert longer.open.tolist() == candles.open[[0, 4]].tolist()
    assert longer.high.tolist() == [candles.high[:4].max(), candles.high[4:8].max()]
    assert longer.low.tolist() == [candles.low[:4].min(), candles.low[4:8].min()]
    assert longer.close.tolist() == candles.close[[3, 7]].tolist()
    assert longer.volume.tolist() == [4000, 4000]


def test_a_longer_bar_is_known_from_the_close_of_its_last_bar() -> None:
    candles = hours(9)
    known = candles.aligned(candles.resampled("4h").close, "4h")
    assert np.isnan(known[:3]).all()
    assert known[3:7].tolist() == [candles.close[3]] * 4
    assert known[7:].tolist() == [candles.close[7]] * 2


def test_a_longer_bar_with_a_gap_at_its_end_is_known_by_the_bar_after_it() -> None:
    whole = hours(12)
    kept = np.array([0, 1, 2, 5, 6, 7, 8])
    columns = {
        n: getattr(whole, n)[kept] for n in ("time", "open", "high", "low", "close", "volume")
    }
    candles = Candles("AAPL", "1h", **columns)
    known = candles.aligned(candles.resampled("4h").close, "4h")
    assert np.isnan(known[:3]).all()
    assert known[3:5].tolist() == [whole.close[2]] * 2
    assert known[5] == whole.close[7]


def test_weeks_begin_on_monday() -> None:
    candles = columns_of(course(range(100, 130), start=MONDAY + timedelta(days=2)))
    weeks = candles.resampled("1w").time
    assert [datetime.fromtimestamp(t, UTC).weekday() for t in weeks] == [0, 0, 0]
    assert weeks[0] == (MONDAY + timedelta(days=7)).timestamp()


@given(count=st.integers(1, 60), first=st.integers(0, 30), late=st.integers(0, 5))
def test_what_is_known_depends_neither_on_the_future_nor_on_where_the_window_begins(
    count: int, first: int, late: int
) -> None:
    candles = hours(60, MONDAY + timedelta(hours=late))
    whole = candles.aligned(candles.resampled("4h").high, "4h")
    part = candles.first(count)
    assert np.array_equal(
        part.aligned(part.resampled("4h").high, "4h"), whole[:count], equal_nan=True
    )
    later = candles.part(first, 60)
    there = later.aligned(later.resampled("4h").high, "4h")
    known = ~np.isnan(there)
    assert np.array_equal(there[known], whole[first:][known])
    assert known[7:].all()


@pytest.mark.parametrize("timeframe", ["1h", "30m", "nonsense"])
def test_only_whole_multiples_can_be_made(timeframe: str) -> None:
    with pytest.raises(InvalidInput):
        hours(5).resampled(timeframe)
