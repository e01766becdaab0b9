"""Returns, volatility and true range against hand-computed values and TA-Lib."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
import talib

from trading.domain.candle import Candle
from trading.domain.time import TIMEFRAMES
from trading.quant.statistics.returns import (
    PERIODS_PER_YEAR,
    average_true_range,
    simple_returns,
    volatility_of,
)

START = datetime(2026, 1, 1, tzinfo=UTC)


def closes(*values: int) -> list[Decimal]:
    return [Decimal(v) for v in values]


def random_candles(count: int, seed: int) -> list[Candle]:
    """A random walk with gaps between the bars, so that the true range is not high - low."""
    numbers = np.random.default_rng(seed)
    close, bars = 100.0, []
    for i in range(count):
        opening = close * (1 + numbers.normal(0, 0.03))
        close = opening * (1 + numbers.normal(0, 0.02))
        high = max(opening, close) * (1 + abs(numbers.normal(0, 0.01)))
        low = min(opening, close) * (1 - abs(numbers.normal(0, 0.01)))
        prices = [Decimal(repr(round(float(x), 4))) for x in (opening, high, low, close)]
        bars.append(
            Candle(
                symbol="ACME",
                timeframe="1d",
                time=START + timedelta(days=i),
                volume=Decimal(1),
                **dict(zip(("open", "high", "low", "close"), prices, strict=True)),
            )
        )
    return bars


def test_returns_are_relative_to_the_close_before() -> None:
    assert simple_returns(closes(100, 110, 99)) == pytest.approx([0.1, -0.1])
    assert simple_returns(closes(100)) == []


def test_volatility_is_the_annual_sample_deviation() -> None:
    # Returns 0.1 and -0.1: sample variance 0.02; four periods a year double the deviation.
    found = volatility_of(closes(100, 110, 99), 4)
    assert found is not None
    assert float(found) == pytest.approx(2 * math.sqrt(0.02))


@pytest.mark.parametrize("prices", [(), (100,), (100, 110), (100, 100, 100, 100)])
def test_what_is_too_short_or_does_not_vary_has_no_volatility(prices: tuple[int, ...]) -> None:
    assert volatility_of(closes(*prices), 365) is None


def test_every_timeframe_has_as_many_bars_as_fit_a_year() -> None:
    assert set(PERIODS_PER_YEAR) == set(TIMEFRAMES)
    for name, bars in PERIODS_PER_YEAR.items():
        assert bars == timedelta(days=365) // TIMEFRAMES[name]


@pytest.mark.parametrize("period", [2, 14])
@pytest.mark.parametrize("seed", range(5))
def test_average_true_range_is_ta_libs(period: int, seed: int) -> None:
    bars = random_candles(120, seed)
    columns = (np.array([float(getattr(b, f)) for b in bars]) for f in ("high", "low", "close"))
    expected = talib.ATR(*columns, timeperiod=period)
    for count in (period + 1, period + 2, 120):
        found = average_true_range(bars[:count], period)
        assert found is not None
        assert float(found) == pytest.approx(expected[count - 1], rel=1e-9)


def test_average_true_range_needs_a_close_before_its_first_bar() -> None:
    assert average_true_range(random_candles(14, 0), 14) is None
    assert average_true_range(random_candles(15, 0), 14) is not None
