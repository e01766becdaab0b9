"""`trading backtest` on the tool's own candles: figures, files, the page, the same run again."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from arro3.io import read_parquet
from typer.testing import CliRunner

from trading_cli.main import app
from trading_cli.project import find_project

FILES = ("fills.csv", "equity.csv", "round_trips.csv", "statistics.json", "config.json")


def trading(*arguments: str, expect: int = 0) -> str:
    result = CliRunner().invoke(app, ["backtest", *arguments])
    assert result.exit_code == expect, result.output
    return re.sub(r"\s+", " ", result.output)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "out"
    trading("run", "ma_cross", "--symbols", "AAPL,IBM", "--out", str(folder))
    return folder


def test_a_run_prints_its_figures() -> None:
    shown = trading("run", "ma_cross", "--parameters", '{"fast": 5, "slow": 20}')
    for figure in ("total return", "sharpe", "max drawdown", "sqn", "information ratio"):
        assert figure in shown
    assert "fast gear" in shown


def test_a_stored_run_comes_out_the_same_to_the_byte(written: Path, tmp_path: Path) -> None:
    trading("rerun", str(written / "config.json"), "--out", str(tmp_path))
    again = sorted(path.name for path in tmp_path.iterdir())
    assert again == sorted(path.name for path in written.iterdir())
    for name in (*FILES, "fills.parquet", "equity.parquet", "round_trips.parquet"):
        assert (tmp_path / name).read_bytes() == (written / name).read_bytes(), name


def test_a_stored_run_refuses_other_candles(written: Path, tmp_path: Path) -> None:
    config = json.loads((written / "config.json").read_text())
    other = tmp_path / "config.json"
    other.write_text(json.dumps(config | {"end": "2011-01-01T00:00:00Z"}))
    result = CliRunner().invoke(app, ["backtest", "rerun", str(other)])
    assert result.exit_code == 1
    assert "other candles" in re.sub(r"\s+", " ", result.output + str(result.stderr))


def test_tables_are_the_same_in_both_formats(written: Path) -> None:
    rows = (written / "fills.csv").read_text().splitlines()
    table = read_parquet(str(written / "fills.parquet")).read_all()
    assert table.num_rows == len(rows) - 1 > 20
    assert ",".join(table.column_names) == rows[0]


def test_the_page_needs_no_network_and_holds_the_figures(written: Path) -> None:
    page = (written / "report.html").read_text(encoding="utf-8")
    own = page.split("</script>", 1)[1]
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", own)
    statistics = json.loads((written / "statistics.json").read_text())
    assert f"{statistics['returns']['total_return']:.2%}" in page
    for heading in ("Equity and drawdown", "Return by month", "Trades in AAPL", "Trades in IBM"):
        assert heading in page


def test_a_page_escapes_what_it_is_told(written: Path) -> None:
    from trading.backtesting import run_backtest
    from trading.quant.statistics.backtest import statistics_of
    from trading_cli.backtest_export import read_config
    from trading_cli.backtest_report import report
    from trading_cli.backtest_setup import market_of

    stored = read_config(written / "config.json")
    market = market_of(stored, None)
    result = run_backtest(stored, market)
    named = result.config.model_copy(update={"strategy": "<script>alert(1)</script>"})
    object.__setattr__(result, "config", named)
    page = report(result, market, statistics_of(result, market))
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_sweep_says_how_far_to_believe_it_before_the_winner_and_computes_nothing_twice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    project = find_project()
    monkeypatch.setattr("trading_cli.backtest_search.find_project", lambda: project)
    monkeypatch.setattr(type(project), "local", property(lambda _: tmp_path))
    wanted = ("sweep", "ma_cross", "--space", '{"fast": [5, 10, 40], "slow": [30, 60]}')
    first = trading(*wanted)
    assert first.index("deflated Sharpe") < first.index("The best by sharpe")
    assert "1 combinations could not be run" in first
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "trials").rglob("*.npz")}
    assert len(kept) == 5
    assert trading(*wanted) == first
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "trials").rglob("*.npz")} == kept


def test_a_search_is_tested_out_of_sample() -> None:
    space = ("--space", '{"fast": [5, 10], "slow": [30, 60]}')
    walked = trading("walk-forward", "ma_cross", *space, "--folds", "3")
    assert walked.count("fast=") == 3
    crossed = trading("cross-validate", "ma_cross", *space, "--folds", "4")
    assert crossed.count("fast=") == 4
    assert "kept out of sample" in crossed


@pytest.mark.parametrize("method", ["random", "bayesian"])
def test_other_ways_to_search(method: str) -> None:
    space = '{"fast": {"range": [2, 20, 1]}, "slow": {"range": [25, 80, 5]}}'
    shown = trading("sweep", "ma_cross", "--space", space, "--method", method, "--trials", "6")
    assert "Of 6 trials" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "ma_cros"), "did you mean 'ma_cross'"),
        (("run", "ma_cross", "--parameters", "{"), "--parameters is not JSON"),
        (("run", "ma_cross", "--parameters", '{"fats": 1}'), "did you mean 'fast'"),
        (("run", "ma_cross", "--symbols", "NONE"), "not of NONE"),
        (("run", "ma_cross", "--candles", "A=none.csv"), "cannot be read"),
        (("run", "ma_cross", "--set", '{"policy": {"direction": "up"}}'), "policy.direction"),
        (("run", "ma_cross", "--cash", "much"), "cash"),
        (("sweep", "ma_cross", "--space", '{"fats": [1]}'), "did you mean 'fast'"),
        (
            (
                "sweep",
                "ma_cross",
                "--space",
                '{"fast": {"range": [1, 40000, 1]}, "slow": {"range": [1, 25000, 1]}}',
            ),
            "1,000,000,000 combinations",
        ),
    ],
)
def test_what_is_wrong_is_said(arguments: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(app, ["backtest", *arguments])
    assert result.exit_code == 1
    assert said in re.sub(r"\s+", " ", result.output + result.stderr)
