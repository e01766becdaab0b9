"""Candles out of CSV files: one symbol per file, oldest first, plain or gzipped."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from trading.quant.strategies.strategy import Candles
from trading_cli.errors import UserError

TIMES = ("time", "timestamp", "date", "datetime", "open_time")
"""What the column of opening times may be called; the first column is taken where none is."""
PRICES = ("open", "high", "low", "close", "volume")
MILLISECONDS_FROM = 1e11
"""Whole numbers from here on are milliseconds since 1970, below seconds."""


def read_csv(path: Path, symbol: str, timeframe: str) -> Candles:
    """Read a file with a header that names the columns, in any case and order.

    Times are ISO 8601 (UTC unless they say otherwise), or seconds or milliseconds since 1970. A
    missing volume counts as zero. Raises UserError naming file, line and column.
    """
    columns: dict[str, list[float]] = {name: [] for name in ("time", *PRICES)}
    with _opened(path) as text:
        rows = csv.DictReader(text)
        names = {name.strip().lower(): name for name in rows.fieldnames or () if name is not None}
        missing = [name for name in PRICES[:-1] if name not in names]
        if missing:
            raise UserError(f"{path} has no column {', '.join(missing)} (it has {list(names)}).")
        first = next((names[name] for name in TIMES if name in names), next(iter(names.values())))
        for row in rows:
            try:
                columns["time"].append(seconds(row[first]))
                for name in PRICES:
                    columns[name].append(float(row[names[name]]) if name in names else 0.0)
            except (TypeError, ValueError) as error:
                raise UserError(f"{path}, line {rows.line_num}: {error}.") from error
    if not columns["time"]:
        raise UserError(f"{path} has no candles.")
    arrays: dict[str, Any] = {name: np.array(values) for name, values in columns.items()}
    return Candles(symbol, timeframe, **arrays)


def seconds(text: str) -> float:
    """A time as seconds since 1970. Raises ValueError for what is none."""
    try:
        number = float(text)
    except ValueError:
        moment = datetime.fromisoformat(text.strip())
        known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return known.timestamp()
    return number / 1000 if number >= MILLISECONDS_FROM else number


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    """A file as text. Raises UserError if it cannot be read."""
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8", newline="") as text:
                yield text
        else:
            with path.open(encoding="utf-8", newline="") as text:
                yield text
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
