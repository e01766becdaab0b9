"""`trading candles` says what is odd, and keeps what can be."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import boto3
import pytest
from typer.testing import CliRunner

from trading.adapters.candle_parquet import to_parquet
from trading.adapters.s3.candle_archive import CandleArchive
from trading.domain.candle import Candle
from trading.domain.errors import Unavailable
from trading.domain.instrument import Instrument
from trading.usecases.import_history import history_pages
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


class Exchange:
    """Answers at most four hourly candles a page, and none of a gap of a thousand hours."""

    def __init__(self, venue: str) -> None:
        assert venue == "kraken"

    def candles(self, instrument: Instrument, timeframe: str, since: datetime) -> list[Candle]:
        assert (instrument.venue_symbol, timeframe) == ("BTC/USD", "1h")
        hours = (START + timedelta(hours=i) for i in (*range(10), *range(1010, 1020)))
        page_end = since + timedelta(hours=500)
        return [bar(each) for each in hours if since <= each < page_end][:4]


START = datetime(2024, 1, 30, tzinfo=UTC)


def bar(opened: datetime) -> Candle:
    return Candle(
        symbol="BTC-USD",
        timeframe="1h",
        time=opened,
        open=Decimal("100.1"),
        high=Decimal("101.25"),
        low=Decimal("99"),
        close=Decimal("100"),
        volume=Decimal("0.5"),
    )


def test_history_is_fetched_from_an_exchange_into_the_archive_across_gaps(
    account: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trading_cli.candles_store.CcxtCandles", Exchange)
    archive = CandleArchive(boto3.client("s3"), "candles")
    monkeypatch.setattr("trading_cli.candles_store._archive", lambda _: archive)
    wanted = ("candles", "fetch", "BTC-USD", "--venue", "kraken", "--timeframe", "1h")
    wanted += ("--start", "2024-01-30", "--end", "2024-04-01", "--bucket", "candles")
    code, said = trading(*wanted)
    assert (code, "20 created, 0 unchanged, 0 replaced" in said) == (0, True)
    kept = archive.get("BTC-USD", "1h")
    assert kept is not None
    assert (len(kept), kept.time[0]) == (20, START.timestamp())
    assert (kept.open[0], kept.high[0]) == (100.1, 101.25)
    assert "0 created, 20 unchanged" in trading(*wanted)[1]


def test_candles_that_go_back_in_time_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Backwards:
        def candles(self, *_: object) -> list[Candle]:
            return [bar(START + timedelta(hours=2)), bar(START + timedelta(hours=1))]

    now = START + timedelta(days=9)
    pages = history_pages(Backwards(), None, "1h", START, now, now)  # type: ignore[arg-type]
    with pytest.raises(Unavailable, match="do not rise"):
        list(pages)
