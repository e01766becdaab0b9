"""Candles for tests: real ones, and ones of a chosen course."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from trading.domain.candle import Candle
from trading.domain.instrument import Instrument
from trading.domain.time import timeframe_length
from trading_cli.candles import read_days

START = datetime(2024, 1, 1, tzinfo=UTC)
COLUMNS = ("open", "high", "low", "close", "volume")


def stock(symbol: str) -> Instrument:
    """A share quoted in USD that trades in cents and whole units."""
    return Instrument(
        symbol=symbol, base_currency=symbol, quote_currency="USD", tick_size=Decimal("0.01"),
        lot_size=Decimal(1), min_notional=Decimal(0), max_price_age_seconds=86400,
    )  # fmt: skip


def course(
    closes: Sequence[object], symbol: str = "AAPL", timeframe: str = "1d", start: datetime = START
) -> list[Candle]:
    """One bar after the other with these closes; each opens at the close before it."""
    values = [Decimal(str(close)) for close in closes]
    bars = []
    for i, close in enumerate(values):
        opened = values[max(i - 1, 0)]
        bars.append(
            Candle(
                symbol=symbol,
                timeframe=timeframe,
                time=start + i * timeframe_length(timeframe),
                open=opened,
                high=max(opened, close),
                low=min(opened, close),
                close=close,
                volume=Decimal(1000),
            )
        )
    return bars


@cache
def real(symbol: str) -> tuple[Candle, ...]:
    """Three years of a US stock's daily candles as they were traded."""
    days = read_days([symbol], date(2007, 1, 1), date(2010, 1, 1))
    return tuple(_candle(symbol, day.candles[symbol]) for day in days)


def _candle(symbol: str, row: Mapping[str, str]) -> Candle:
    values: dict[str, Any] = {name: Decimal(row[name]) for name in COLUMNS}
    return Candle(symbol=symbol, timeframe="1d", time=datetime.fromisoformat(row["time"]), **values)


def body(candles: Sequence[Candle]) -> dict[str, Any]:
    """Candles of one symbol as ``POST /market/candles`` takes them."""
    return {
        "symbol": candles[0].symbol,
        "timeframe": candles[0].timeframe,
        "candles": [
            {"time": c.time.isoformat(), **{name: str(getattr(c, name)) for name in COLUMNS}}
            for c in candles
        ],
    }
