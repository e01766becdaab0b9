"""`trading candles`: history in files and in a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from trading.adapters.candle_parquet import to_parquet
from trading.adapters.s3.candle_archive import CandleArchive, Stored
from trading.adapters.venues.ccxt_candles import CcxtCandles
from trading.domain.instrument import Instrument
from trading.quant.candle_quality import quality
from trading.quant.simulation.market import check as refuse_impossible
from trading.quant.strategies.candles import columns_of
from trading.usecases.import_history import history_pages
from trading_cli.audit import audited
from trading_cli.backtest_setup import Timeframe, candles_of
from trading_cli.errors import UserError
from trading_cli.local import current_stack, current_target
from trading_cli.output import console, progress, table
from trading_cli.project import find_project

app = typer.Typer(help="Check candles, and keep them in a bucket.", no_args_is_help=True)

Given = Annotated[list[str], typer.Argument(help="SYMBOL=FILE, .csv, .csv.gz or .parquet.")]
Bucket = Annotated[
    str | None,
    typer.Option(help="The bucket of the archive. [default: the deployed stack's]"),
]
Day = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="A day, UTC.")]
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
def import_candles(given: Given, bucket: Bucket = None, timeframe: Timeframe = "1d") -> None:
    """Put files into the archive; repeating it changes nothing, what cannot be is refused."""
    with _written(bucket, f"candles import --timeframe {timeframe}") as archive:
        for each in given:
            candles = candles_of(each, timeframe)
            refuse_impossible(candles)
            _tell(candles.symbol, archive.put(candles))


@app.command()
def export(
    symbol: Annotated[str, typer.Argument(help="The symbol.")],
    file: Annotated[Path, typer.Argument(help="The Parquet file to write.")],
    bucket: Bucket = None,
    timeframe: Timeframe = "1d",
) -> None:
    """Write a symbol's candles out of the archive into one Parquet file."""
    found = _archive(bucket).get(symbol, timeframe)
    if found is None:
        raise UserError(f"The archive has no candles of {symbol}, {timeframe}.")
    file.write_bytes(to_parquet(found))
    console.print(f"Wrote {len(found):,} bars to {file}")


@app.command()
def fetch(
    symbol: Annotated[str, typer.Argument(help="The symbol to keep them under.")],
    venue: Annotated[str, typer.Option(help="An exchange that ccxt knows, such as kraken.")],
    start: Day,
    venue_symbol: Annotated[
        str | None, typer.Option(help="The exchange's name of it, such as BTC/USDT.")
    ] = None,
    end: Day | None = None,
    bucket: Bucket = None,
    timeframe: Timeframe = "1d",
) -> None:
    """Fetch a symbol's history from an exchange into the archive, page by page.

    What is there already is left as it is, so that a fetch that broke off is simply repeated.
    """
    now = datetime.now(UTC)
    name = symbol.upper()
    instrument = Instrument(
        symbol=name,
        base_currency=name[:12],
        quote_currency="USD",
        tick_size=Decimal(1),
        lot_size=Decimal(1),
        min_notional=Decimal(0),
        max_price_age_seconds=1,
        venue=venue,
        venue_symbol=venue_symbol or name.replace("-", "/"),
    )
    first = start.replace(tzinfo=UTC)
    until = end.replace(tzinfo=UTC) if end else now
    total = Stored()
    command = f"candles fetch {name} --venue {venue}"
    with _written(bucket, command) as archive, progress("Fetching") as bar:
        task = bar.add_task("", total=(until - first).total_seconds())
        source = CcxtCandles(venue)
        for page in history_pages(source, instrument, timeframe, first, until, now):
            candles = columns_of(page)
            refuse_impossible(candles)
            total += archive.put(candles)
            bar.update(task, completed=(page[-1].close_time - first).total_seconds())
    _tell(name, total)


def _tell(symbol: str, stored: Stored) -> None:
    console.print(
        f"{symbol}: {stored.created:,} created, {stored.unchanged:,} unchanged,"
        f" {stored.replaced:,} replaced"
    )


@contextmanager
def _written(bucket: str | None, command: str) -> Iterator[CandleArchive]:
    """The archive, to be written; noted in the audit trail of the stack that it belongs to."""
    with audited(current_stack(), command) if bucket is None else nullcontext():
        yield _archive(bucket)


def _archive(bucket: str | None) -> CandleArchive:
    """The archive at the target that commands talk to."""
    if bucket is not None:
        return CandleArchive(current_target(find_project()).client("s3"), bucket)
    stack = current_stack()
    return CandleArchive(stack.target.client("s3"), stack.resource("CandlesBucket"))
