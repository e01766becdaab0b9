"""A backtest's result as files: configuration, statistics, tables as CSV and Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO, StringIO
from typing import Any

from trading.domain.money import plain
from trading.quant.simulation.market import Market
from trading.quant.simulation.result import BacktestResult
from trading.quant.simulation.round_trips import round_trips
from trading.quant.statistics.backtest import Statistics

Column = Any
"""A list, or an array of floats."""


def files_of(result: BacktestResult, market: Market, statistics: Statistics) -> dict[str, bytes]:
    """Everything of a run by file name; equal runs make equal bytes.

    ``config.json`` holds all that is needed to run it again on the candles that its ``data_hash``
    names. ``market`` is the one that the run was on, cut to its start and end.
    """
    files = {
        "config.json": (result.config.canonical_json() + "\n").encode(),
        "statistics.json": (
            json.dumps(statistics.as_dict(), indent=2, sort_keys=True) + "\n"
        ).encode(),
    }
    tables = {
        "fills": _fills(result),
        "equity": _equity(result),
        "round_trips": _trips(result, market),
    }
    for name, columns in tables.items():
        files[f"{name}.csv"] = to_csv(columns)
        files[f"{name}.parquet"] = _parquet(columns)
    return files


def _fills(result: BacktestResult) -> dict[str, Column]:
    """Every fill, amounts as exact text."""
    records = result.fills.records()
    return {
        "time": [r.time.isoformat() for r in records],
        "symbol": [r.symbol for r in records],
        "quantity": [plain(r.quantity) for r in records],
        "price": [plain(r.price) for r in records],
        "fee": [plain(r.fee) for r in records],
        "reason": [r.reason.name.lower() for r in records],
    }


def _equity(result: BacktestResult) -> dict[str, Column]:
    """The curve, bar by bar."""
    columns = {name: getattr(result, name) for name in ("equity", "cash", "gross", "net")}
    return {"time": [_text(t) for t in result.time], **columns}


def _trips(result: BacktestResult, market: Market) -> dict[str, Column]:
    """The closed round trips."""
    trips, names = round_trips(result.fills, market), market.symbols
    floats = ("quantity", "entry_price", "exit_price", "pnl", "fees", "pnl_fraction", "mae", "mfe")
    return {
        "symbol": [names[place] for place in trips.symbol],
        "entered": [_text(t) for t in market.times[trips.entry]],
        "left": [_text(t) for t in market.times[trips.exit]],
        **{name: getattr(trips, name) for name in floats},
    }


def to_csv(columns: Mapping[str, Column]) -> bytes:
    """Columns of equal length as CSV with a line of names."""
    text = StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(columns)
    rows.writerows(zip(*(_plain(column) for column in columns.values()), strict=True))
    return text.getvalue().encode()


def _plain(column: Column) -> Column:
    return column if isinstance(column, list) else column.tolist()


def _parquet(columns: Mapping[str, Column]) -> bytes:
    import numpy as np
    from arro3.core import Array, DataType, Table
    from arro3.io import write_parquet

    arrays: dict[str, Any] = {
        name: Array(column, DataType.utf8())
        if isinstance(column, list)
        else Array.from_numpy(np.ascontiguousarray(column, np.float64))
        for name, column in columns.items()
    }
    file = BytesIO()
    write_parquet(Table.from_pydict(arrays), file)
    return file.getvalue()


def _text(seconds: float) -> str:
    return datetime.fromtimestamp(float(seconds), UTC).isoformat()
