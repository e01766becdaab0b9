"""Real daily candles of US stocks, 2000-2013, as the data set's text has them.

Prices are the ones that were traded at, not adjusted for splits: a split looks like a crash, so a
period that holds one is refused. Nothing is ever turned into a float.
"""

from __future__ import annotations

import csv
import gzip
import importlib.resources
import io
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import pairwise

from trading_cli.errors import UserError

SPLIT_RATIO = Decimal("1.3")
"""Adjusted over traded price changes by this factor overnight only when shares are split."""

Candle = dict[str, str]
"""A candle as ``POST /market/candles`` takes it."""


@dataclass(frozen=True)
class Day:
    """One trading day's candles by symbol."""

    on: date
    candles: Mapping[str, Candle]


def read_days(symbols: Collection[str], start: date, end: date) -> list[Day]:
    """Return the trading days from ``start`` up to, not including, ``end``.

    Raises UserError for an unknown symbol, an empty period, or one in which a share was split.
    """
    by_symbol = _rows()
    days: dict[date, dict[str, Candle]] = defaultdict(dict)
    for symbol in symbols:
        if symbol not in by_symbol:
            raise UserError(f"There are candles of {', '.join(by_symbol)}, not of {symbol}.")
        rows = [r for r in by_symbol[symbol] if start <= date.fromisoformat(r["Date"]) < end]
        if not rows:
            raise UserError(f"There are no candles of {symbol} from {start} to {end}.")
        _refuse_splits(symbol, rows)
        for row in rows:
            days[date.fromisoformat(row["Date"])][symbol] = _candle(row)
    return [Day(on, candles) for on, candles in sorted(days.items())]


def _candle(row: Mapping[str, str]) -> Candle:
    """Name a row's columns as the API does; the amounts keep their text."""
    return {
        "time": f"{row['Date']}T00:00:00Z",
        "open": row["Open"],
        "high": row["High"],
        "low": row["Low"],
        "close": row["Close"],
        "volume": row["Volume"],
    }


def _refuse_splits(symbol: str, rows: list[dict[str, str]]) -> None:
    """Raise UserError if the share was split within the period."""
    for before, after in pairwise(rows):
        change = _adjustment(after) / _adjustment(before)
        if not 1 / SPLIT_RATIO < change < SPLIT_RATIO:
            raise UserError(
                f"{symbol} was split on {after['Date']} and its prices are as traded;"
                " choose a period before or after."
            )


def _adjustment(row: Mapping[str, str]) -> Decimal:
    """Return adjusted over traded close: dividends change it a little, splits a lot."""
    return Decimal(row["Adj Close"]) / Decimal(row["Close"])


@cache
def _rows() -> dict[str, list[dict[str, str]]]:
    """Read the whole data set, by symbol and in order of time."""
    file = importlib.resources.files("bokeh_sampledata") / "_data" / "stocks.csv.gz"
    text = gzip.decompress(file.read_bytes()).decode()
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in csv.DictReader(io.StringIO(text)):
        found[row["Ticker"]].append(row)
    return {symbol: sorted(rows, key=lambda r: r["Date"]) for symbol, rows in found.items()}
