"""A backtest's result as files: configuration, statistics, tables as CSV and Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from arro3.core import Array, DataType, Table
from arro3.io import write_parquet

from trading.domain.backtest import BacktestConfig
from trading.domain.money import plain
from trading.quant.simulation.market import Market
from trading.quant.simulation.result import BacktestResult
from trading.quant.simulation.round_trips import round_trips
from trading.quant.statistics.backtest import Statistics
from trading_cli.errors import UserError

Column = Any
"""A list, or an array of floats."""


def write_result(
    folder: Path, result: BacktestResult, market: Market, statistics: Statistics
) -> list[Path]:
    """Write everything of a run into a folder; returns the files.

    Equal runs make equal bytes: ``config.json`` holds all that is needed to run it again on the
    candles that its ``data_hash`` names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "config.json": result.config.canonical_json(),
        "statistics.json": json.dumps(statistics.as_dict(), indent=2, sort_keys=True),
    }
    for name, text in texts.items():
        (folder / name).write_text(text + "\n", encoding="utf-8")
    written = [folder / name for name in texts]
    tables = {
        "fills": _fills(result),
        "equity": _equity(result),
        "round_trips": _trips(result, market),
    }
    for name, columns in tables.items():
        written += [_csv(folder / f"{name}.csv", columns)]
        written += [_parquet(folder / f"{name}.parquet", columns)]
    return written


def read_config(path: Path) -> BacktestConfig:
    """Read a stored configuration. Raises UserError for what is none."""
    try:
        return BacktestConfig.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise UserError(f"{path} is no backtest's configuration: {error}") from error


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


def _csv(path: Path, columns: Mapping[str, Column]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as text:
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(columns)
        rows.writerows(zip(*(_plain(column) for column in columns.values()), strict=True))
    return path


def _plain(column: Column) -> Column:
    return column.tolist() if isinstance(column, np.ndarray) else column


def _parquet(path: Path, columns: Mapping[str, Column]) -> Path:
    arrays: dict[str, Any] = {
        name: Array.from_numpy(np.ascontiguousarray(column, np.float64))
        if isinstance(column, np.ndarray)
        else Array(list(column), DataType.utf8())
        for name, column in columns.items()
    }
    write_parquet(Table.from_pydict(arrays), str(path))
    return path


def _text(seconds: float) -> str:
    return datetime.fromtimestamp(float(seconds), UTC).isoformat()
