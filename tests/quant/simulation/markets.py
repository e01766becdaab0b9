"""Markets and configurations for tests of backtests."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from trading.domain.backtest import BacktestConfig
from trading.domain.instrument import Instrument
from trading.domain.portfolio import AllocationPolicy
from trading.quant.simulation.market import Market
from trading.quant.strategies.scored import NO_SCORE, Scored
from trading.quant.strategies.strategy import Candles

DAYS = 86_400


def config(*symbols: str, policy: Mapping[str, Any] | None = None, **given: Any) -> BacktestConfig:
    """All in, long only, at the next open, unless said otherwise; one unit is a lot."""
    names = symbols or ("A",)
    terms: dict[str, Any] = {
        "target_fraction": Decimal(1),
        "valid_for_seconds": 20 * DAYS,
        "signal_max_age_seconds": 90 * DAYS,
    }
    return BacktestConfig(
        **{
            "strategy": "ma_cross",
            "parameters": {"fast": 10, "slow": 30},
            "symbols": list(names),
            "timeframe": "1h",
            "instruments": {name: instrument(name) for name in names},
            "base_currency": "USD",
            "cash": Decimal(1_000_000),
            "policy": AllocationPolicy(**terms | dict(policy or {})),
            **given,
        }
    )


def instrument(name: str, lot: str = "1", tick: str = "0.01") -> Instrument:
    """One that trades in cents, quoted in USD."""
    return Instrument(
        symbol=name,
        base_currency=name,
        quote_currency="USD",
        tick_size=Decimal(tick),
        lot_size=Decimal(lot),
        min_notional=Decimal(0),
        max_price_age_seconds=31 * DAYS,
    )


def candles(name: str, rows: list[tuple[float, ...]], start: float = 0.0) -> Candles:
    """Bars of (open, high, low, close) or (open, high, low, close, volume), an hour each."""
    columns = np.array([row if len(row) == 5 else (*row, 1e6) for row in rows], float).T
    time = start + np.arange(len(rows)) * 3600.0
    return Candles(name, "1h", time, *columns)


def walk(name: str = "A", bars: int = 1000, seed: int = 1, gaps: bool = True) -> Candles:
    """A seeded random walk in cents that begins at 100."""
    random = np.random.default_rng(seed)
    close = np.round(100 * np.exp(np.cumsum(random.normal(0, 0.004, bars))), 2)
    opened = np.concatenate([[100.0], close[:-1]])
    if gaps:
        opened = np.round(opened * np.exp(random.normal(0, 0.001, bars)), 2)
    high = np.round(np.maximum(opened, close) * (1 + abs(random.normal(0, 0.002, bars))), 2)
    low = np.round(np.minimum(opened, close) * (1 - abs(random.normal(0, 0.002, bars))), 2)
    volume = np.round(random.uniform(0, 20_000, bars))
    return Candles(name, "1h", np.arange(bars) * 3600.0, opened, high, low, close, volume)


def market(*given: Candles) -> Market:
    """A market of these candles."""
    return Market.of(list(given))


def says(scores: list[float | None], **hints: list[float | None]) -> Scored:
    """A strategy's say, one score per bar; None where it has none."""
    columns = {name: _units(values) for name, values in hints.items()}
    return Scored(_units(scores), **columns)


def _units(values: list[float | None]) -> Any:
    whole = [NO_SCORE if value is None else round(value * 1e6) for value in values]
    return np.array(whole, np.int64)
