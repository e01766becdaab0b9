"""From what stands on the command line to a backtest's configuration and market."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from pydantic import ValidationError

from trading.adapters.candle_parquet import from_parquet
from trading.domain.backtest import BacktestConfig, all_in
from trading.domain.errors import InvalidInput
from trading.domain.fill_model import FillTiming
from trading.domain.instrument import Instrument
from trading.quant.simulation.market import Market
from trading.quant.strategies.strategy import Candles
from trading_cli.candle_csv import read_csv
from trading_cli.candles import Candle, read_days
from trading_cli.errors import UserError

DAY = 86_400
"""How long orders wait for the next bar at most: over weekends and holidays no market trades."""
SAMPLE = (date(2009, 3, 2), date(2012, 3, 1))

StrategyName = Annotated[
    str, typer.Argument(help="Name of the strategy, as `strategy list` has it.")
]
Parameters = Annotated[str, typer.Option(help="Its parameters as JSON: '{\"fast\": 5}'.")]
Symbols = Annotated[str, typer.Option(help="Of the sample: AAPL, FB, GOOG, IBM, MSFT.")]
Files = Annotated[
    list[str] | None,
    typer.Option("--candles", help="SYMBOL=FILE.csv[.gz], once per symbol; instead of the sample."),
]
Timeframe = Annotated[str, typer.Option(help="Length of the files' bars, such as 5m, 1h or 1d.")]
Start = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The first day, UTC.")]
End = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day after the last.")]
Cash = Annotated[str, typer.Option(help="Cash at the beginning.")]
Commission = Annotated[str, typer.Option(help="Commission, as a fraction of notional.")]
Settings = Annotated[
    str,
    typer.Option(
        "--set", help='More of the configuration as JSON: \'{"policy": {"direction": "both"}}\'.'
    ),
]


@dataclass(frozen=True)
class Prepared:
    """A backtest that is ready to be run."""

    config: BacktestConfig
    market: Market


def prepare(
    strategy: str,
    parameters: str = "{}",
    symbols: str = "AAPL",
    files: Sequence[str] | None = None,
    timeframe: str = "1d",
    start: datetime | None = None,
    end: datetime | None = None,
    cash: str = "100000",
    commission: str = "0.001",
    settings: str = "{}",
) -> Prepared:
    """Read the candles and make the configuration.

    All cash goes into one symbol and equal parts of it into several, at the next bar's open, unless
    ``settings`` say otherwise. Raises UserError or InvalidInput naming what is wrong.
    """
    if files:
        market = market_from(files, timeframe)
        bounds = (_utc(start), _utc(end))
    else:
        names = [name.strip().upper() for name in symbols.split(",") if name.strip()]
        first = start.date() if start else SAMPLE[0]
        last = end.date() if end else SAMPLE[1]
        market, bounds = sample(names, first, last), (_utc(start), _utc(end))
    given: dict[str, Any] = {
        "strategy": strategy,
        "parameters": as_object(parameters, "--parameters"),
        "symbols": list(market.symbols),
        "timeframe": market.timeframe,
        "start": bounds[0],
        "end": bounds[1],
        "instruments": {s: _instrument(market.candles[s]).model_dump() for s in market.symbols},
        "base_currency": "USD",
        "cash": cash,
        "commission_rate": commission,
        "policy": all_in(len(market.symbols)).model_dump(exclude_defaults=True),
        "fill_model": {"timing": FillTiming.NEXT_BAR.value},
    }
    config = checked(_merged(given, as_object(settings, "--set")))
    cut = market.between(config.start, config.end)
    return Prepared(config.model_copy(update={"data_hash": cut.data_hash}), cut)


def market_from(files: Sequence[str], timeframe: str) -> Market:
    """The candles of ``SYMBOL=FILE`` arguments. Raises UserError."""
    return Market.of([candles_of(given, timeframe) for given in files])


def market_of(config: BacktestConfig, files: Sequence[str] | None) -> Market:
    """The candles of a stored configuration, out of files or the sample."""
    if files:
        return market_from(files, config.timeframe).between(config.start, config.end)
    first = config.start.date() if config.start else SAMPLE[0]
    last = config.end.date() if config.end else SAMPLE[1]
    return sample(config.symbols, first, last)


def checked(given: Mapping[str, Any]) -> BacktestConfig:
    """A configuration. Raises InvalidInput naming the field."""
    try:
        return BacktestConfig.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "configuration"
        raise InvalidInput(where, f"{where}: {first['msg']}") from error


def sample(symbols: Sequence[str], first: date, last: date) -> Market:
    """Daily candles of US stocks that come with the tool, as traded."""
    days = read_days(symbols, first, last)
    found: dict[str, list[Candle]] = {
        symbol: [day.candles[symbol] for day in days if symbol in day.candles] for symbol in symbols
    }
    return Market.of([_columns(symbol, candles) for symbol, candles in found.items()])


def _columns(symbol: str, candles: Sequence[Candle]) -> Candles:
    """The sample's candles as columns; where rounding left a bar's range short, it is widened."""
    columns: dict[str, Any] = {
        name: np.array([float(candle[name]) for candle in candles])
        for name in ("open", "high", "low", "close", "volume")
    }
    columns["high"] = np.maximum.reduce([columns[n] for n in ("high", "open", "close")])
    columns["low"] = np.minimum.reduce([columns[n] for n in ("low", "open", "close")])
    times = [datetime.fromisoformat(candle["time"]).timestamp() for candle in candles]
    return Candles(symbol, "1d", time=np.array(times), **columns)


def candles_of(given: str, timeframe: str) -> Candles:
    """The candles of ``SYMBOL=FILE``, a CSV or Parquet file. Raises UserError or InvalidInput."""
    symbol, equals, path = given.partition("=")
    if not equals:
        raise UserError(f"--candles takes SYMBOL=FILE, not '{given}'.")
    if not path.endswith(".parquet"):
        return read_csv(Path(path), symbol.upper(), timeframe)
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    return from_parquet(content, symbol.upper(), timeframe)


def _instrument(candles: Candles) -> Instrument:
    """How a symbol trades, as its numbers suggest: ticks as fine as prices, whole units or not."""
    prices = candles.close[:1000]
    fits = (d for d in range(9) if np.allclose(prices, np.round(prices, d), rtol=0, atol=1e-9))
    digits = next(fits, 8)
    whole = bool((candles.volume[:1000] == np.round(candles.volume[:1000])).all())
    return Instrument(
        symbol=candles.symbol,
        base_currency=candles.symbol[:12],
        quote_currency="USD",
        tick_size=Decimal(1).scaleb(-digits),
        lot_size=Decimal(1) if whole else Decimal("0.00001"),
        min_notional=Decimal(0),
        max_price_age_seconds=31 * DAY,
    )


def _merged(given: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Settings put over others, objects within objects too."""
    merged = dict(given)
    for name, value in more.items():
        known = merged.get(name)
        both = isinstance(known, Mapping) and isinstance(value, Mapping)
        merged[name] = _merged(known, value) if both else value  # type: ignore[arg-type]
    return merged


def as_object(text: str, option: str) -> dict[str, Any]:
    """An object out of an option. Raises UserError naming it."""
    try:
        found = json.loads(text, parse_float=Decimal if option == "--set" else None)
    except ValueError as error:
        raise UserError(f"{option} is not JSON: {error}.") from error
    if not isinstance(found, dict):
        raise UserError(f"{option} must be a JSON object, such as '{{\"name\": 1}}'.")
    return found


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)
