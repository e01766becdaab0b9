"""A backtest's result in a folder, and its configuration read back."""

from __future__ import annotations

from pathlib import Path

from trading.adapters.backtest_files import files_of
from trading.domain.backtest import BacktestConfig
from trading.quant.simulation.market import Market
from trading.quant.simulation.result import BacktestResult
from trading.quant.statistics.backtest import Statistics
from trading_cli.errors import UserError


def write_result(
    folder: Path, result: BacktestResult, market: Market, statistics: Statistics
) -> list[Path]:
    """Write everything of a run into a folder; returns the files. Equal runs make equal bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, content in files_of(result, market, statistics).items():
        path = folder / name
        path.write_bytes(content)
        written.append(path)
    return written


def read_config(path: Path) -> BacktestConfig:
    """Read a stored configuration. Raises UserError for what is none."""
    try:
        return BacktestConfig.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise UserError(f"{path} is no backtest's configuration: {error}") from error
