"""What candles a backtest takes, and how it refuses others."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from tests.quant.simulation.markets import candles, market, walk
from trading.domain.errors import InvalidInput
from trading.quant.simulation.market import Market

GOOD = walk(bars=10)


def changed(column: str, bar: int, value: float) -> None:
    values = getattr(GOOD, column).copy()
    values[bar] = value
    market(replace(GOOD, **{column: values}))


@pytest.mark.parametrize(
    ("column", "bar", "value", "why"),
    [
        ("time", 3, GOOD.time[2], "there twice"),
        ("time", 3, 0.0, "earlier than the bar before"),
        ("close", 4, np.nan, "not a finite number"),
        ("high", 4, np.inf, "not a finite number"),
        ("open", 5, 0.0, "above zero"),
        ("low", 5, -1.0, "above zero"),
        ("high", 6, 1.0, "below the bar's open or close"),
        ("low", 6, 1e6, "above the bar's open or close"),
        ("close", 7, 1e9, "below 90,000,000"),
        ("volume", 8, -1.0, "negative"),
    ],
)
def test_a_bar_that_cannot_be_is_named(column: str, bar: int, value: float, why: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        changed(column, bar, value)
    assert refused.value.field == f"candles.A.{bar}.{column}"
    assert why in refused.value.detail


def test_zero_volume_and_a_single_bar_are_fine() -> None:
    changed("volume", 2, 0.0)
    assert len(market(walk(bars=1)).times) == 1


def test_none_at_all_or_a_symbol_twice_or_two_timeframes_are_refused() -> None:
    for given in ([], [walk(bars=0)], [GOOD, GOOD], [GOOD, replace(GOOD, timeframe="1d")]):
        with pytest.raises(InvalidInput):
            Market.of(given)


def test_symbols_share_one_axis_of_time() -> None:
    late = candles("B", [(5, 5, 5, 5)] * 2, start=3600.0)
    both = market(candles("A", [(1, 1, 1, 1)] * 2), late)
    assert both.times.tolist() == [0, 3600, 7200]
    assert {s: i.tolist() for s, i in both.index.items()} == {"A": [0, 1, -1], "B": [-1, 0, 1]}


def test_a_bar_is_exact_again() -> None:
    odd = candles("A", [(0.1, 0.3, 0.07, 0.12345678, 12.5)])
    bar = market(odd).candle("A", 0)
    assert [bar.open, bar.high, bar.low, bar.close, bar.volume] == [
        Decimal(text) for text in ("0.1", "0.3", "0.07", "0.12345678", "12.5")
    ]


def test_the_hash_names_every_amount() -> None:
    assert market(walk()).data_hash == market(walk()).data_hash
    assert market(walk()).data_hash != market(walk(seed=2)).data_hash
