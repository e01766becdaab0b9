"""The real candles: the very text of the data set, and no period with a split in it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from trading_cli.candles import read_days
from trading_cli.demo import INSTRUMENT
from trading_cli.errors import UserError

THREE_YEARS = (date(2009, 3, 2), date(2012, 3, 1))


def test_amounts_are_the_data_sets_own_text() -> None:
    (day,) = read_days(["AAPL"], date(2010, 1, 4), date(2010, 1, 5))
    assert day.on == date(2010, 1, 4)
    assert day.candles == {
        "AAPL": {
            "time": "2010-01-04T00:00:00Z",
            "open": "213.43",
            "high": "214.5",
            "low": "212.38",
            "close": "214.01",
            "volume": "17633200",
        }
    }


def test_every_amount_of_three_years_is_text_in_whole_ticks_of_the_demo() -> None:
    days = read_days(["AAPL", "GOOG", "IBM", "MSFT"], *THREE_YEARS)
    amounts = [
        c[k] for d in days for c in d.candles.values() for k in ("open", "high", "low", "close")
    ]
    assert len(amounts) == 4 * 4 * len(days)
    assert all(isinstance(amount, str) for amount in amounts)
    tick = Decimal(INSTRUMENT["tick_size"])
    assert not any(Decimal(amount) % tick for amount in amounts)


def test_days_come_in_order_with_every_symbol_and_the_end_left_out() -> None:
    days = read_days(["IBM", "GOOG"], *THREE_YEARS)
    assert [day.on for day in days] == sorted({day.on for day in days})
    assert days[0].on == THREE_YEARS[0]
    assert days[-1].on < THREE_YEARS[1]
    assert {tuple(day.candles) for day in days} == {("IBM", "GOOG")}


@pytest.mark.parametrize(
    ("symbol", "start", "end", "split"),
    [
        ("AAPL", date(2000, 6, 1), date(2000, 7, 1), "2000-06-21"),
        ("AAPL", date(2005, 1, 1), date(2006, 1, 1), "2005-02-28"),
        ("MSFT", date(2003, 1, 1), date(2004, 1, 1), "2003-02-18"),
    ],
)
def test_a_period_with_a_split_is_refused_and_the_day_named(
    symbol: str, start: date, end: date, split: str
) -> None:
    with pytest.raises(UserError, match=split):
        read_days([symbol], start, end)


def test_a_crash_is_not_taken_for_a_split() -> None:
    days = read_days(["AAPL"], date(2000, 9, 25), date(2000, 10, 5))
    assert [d.candles["AAPL"]["close"] for d in days][3:5] == ["53.5", "25.75"]


def test_an_unknown_symbol_and_an_empty_period_are_named() -> None:
    with pytest.raises(UserError, match="not of TSLA"):
        read_days(["TSLA"], *THREE_YEARS)
    with pytest.raises(UserError, match="no candles of FB"):
        read_days(["FB"], *THREE_YEARS)
