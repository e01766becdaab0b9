"""`trading candles` says what is odd, and keeps what can be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from trading.adapters.candle_parquet import to_parquet
from trading_cli.backtest_setup import SAMPLE, sample
from trading_cli.main import app


def trading(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, re.sub(r"\s+", " ", result.output + result.stderr)


def test_a_parquet_file_can_be_backtested(tmp_path: Path) -> None:
    file = tmp_path / "ibm.parquet"
    file.write_bytes(to_parquet(sample(["IBM"], *SAMPLE).candles["IBM"]))
    code, own = trading("backtest", "run", "ma_cross", "--candles", f"IBM={file}")
    assert code == 0
    assert "total return" in own


@pytest.mark.parametrize(
    ("rows", "code", "said"),
    [
        (["2024-01-01,1,2,0.5,1.5,3", "2024-01-02,1,2,0.5,1.5,3"], 0, "0 findings"),
        (["2024-01-01,1,2,0.5,1.5,3", "2024-01-01,1,2,0.5,1.5,3"], 1, "duplicate"),
        (["2024-01-01,1,2,0.5,9,3"], 1, "impossible"),
        (["2024-01-01,1,x,0.5,9,3"], 1, "line 2"),
    ],
)
def test_a_file_is_checked(tmp_path: Path, rows: list[str], code: int, said: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text("\n".join(["Date,Open,High,Low,Close,Volume", *rows]) + "\n")
    found = trading("candles", "check", f"A={file}")
    assert found[0] == code
    assert said in found[1]
