"""`trading candles`: history in files and in a bucket."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from trading.adapters.candle_parquet import to_parquet
from trading.adapters.s3.candle_archive import CandleArchive
from trading.quant.candle_quality import quality
from trading.quant.simulation.market import check as refuse_impossible
from trading_cli.backtest_setup import Timeframe, candles_of
from trading_cli.errors import UserError
from trading_cli.local import current_target
from trading_cli.output import console, table
from trading_cli.project import find_project

app = typer.Typer(help="Check candles, and keep them in a bucket.", no_args_is_help=True)

Given = Annotated[list[str], typer.Argument(help="SYMBOL=FILE, .csv, .csv.gz or .parquet.")]
Bucket = Annotated[str, typer.Option(help="The bucket of the archive.")]
SHOWN = 20


@app.command()
def check(given: Given, timeframe: Timeframe = "1d") -> None:
    """Report gaps, duplicates, impossible bars and outliers; nothing is filled in or dropped.

    Exit code 1 if a backtest could not run on the candles.
    """
    unusable = False
    for each in given:
        candles = candles_of(each, timeframe)
        found = quality(candles)
        rows = [
            (f.kind, datetime.fromtimestamp(f.time, UTC).isoformat(), f.detail)
            for f in found.findings[:SHOWN]
        ]
        title = (
            f"{candles.symbol}: {found.bars:,} bars, {found.missing:,} missing,"
            f" {len(found.findings):,} findings"
        )
        table(title, ("kind", "bar", "what"), rows)
        unusable |= any(found.count(kind) for kind in ("impossible", "unsorted", "duplicate"))
    if unusable:
        raise typer.Exit(1)


@app.command(name="import")
def import_candles(given: Given, bucket: Bucket, timeframe: Timeframe = "1d") -> None:
    """Put files into the archive; repeating it changes nothing, what cannot be is refused."""
    archive = _archive(bucket)
    for each in given:
        candles = candles_of(each, timeframe)
        refuse_impossible(candles)
        stored = archive.put(candles)
        console.print(
            f"{candles.symbol}: {stored.created:,} created, {stored.unchanged:,} unchanged,"
            f" {stored.replaced:,} replaced"
        )


@app.command()
def export(
    symbol: Annotated[str, typer.Argument(help="The symbol.")],
    file: Annotated[Path, typer.Argument(help="The Parquet file to write.")],
    bucket: Bucket,
    timeframe: Timeframe = "1d",
) -> None:
    """Write a symbol's candles out of the archive into one Parquet file."""
    found = _archive(bucket).get(symbol, timeframe)
    if found is None:
        raise UserError(f"The archive has no candles of {symbol}, {timeframe}.")
    file.write_bytes(to_parquet(found))
    console.print(f"Wrote {len(found):,} bars to {file}")


def _archive(bucket: str) -> CandleArchive:
    """The archive at the target that commands talk to."""
    return CandleArchive(current_target(find_project()).client("s3"), bucket)
