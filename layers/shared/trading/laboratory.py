"""The laboratory that backtests run in, with real adapters behind every shelf."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_UP, Decimal
from functools import cache, cached_property
from typing import Any

from trading import bootstrap, deadline
from trading.adapters.backtest_files import files_of, to_csv
from trading.adapters.dynamodb.backtests import BacktestRepository
from trading.adapters.dynamodb.market import MarketRepository
from trading.adapters.s3.candle_archive import CandleArchive
from trading.adapters.s3.research_bucket import ResearchBucket
from trading.adapters.stored_candles import StoredCandles
from trading.backtesting import run_backtest
from trading.quant.search.space import DOLLARS_A_GB_SECOND
from trading.quant.simulation.market import Market
from trading.quant.simulation.result import BacktestResult
from trading.quant.statistics.backtest import Statistics
from trading.settings import settings
from trading.usecases.try_parameters import Simulate

DOLLARS_A_STEP = Decimal("0.0001")
"""What a step of a sweep costs beside computing: its transitions, requests and objects."""
_MICRO = Decimal("0.000001")


class LiveLaboratory:
    """Adapters made when first used, so that a function needs only the settings that it uses."""

    @cached_property
    def experiments(self) -> BacktestRepository:
        """Runs and sweeps."""
        return BacktestRepository(bootstrap.store(), settings().backtests_table)

    @cached_property
    def market(self) -> MarketRepository:
        """Instruments, and the newest candles."""
        return MarketRepository(bootstrap.store(), settings().market_table)

    @cached_property
    def history(self) -> StoredCandles:
        """Candles, old and new."""
        archive = CandleArchive(bootstrap.object_store(), settings().candles_bucket)
        return StoredCandles(archive, self.market)

    @cached_property
    def shelf(self) -> ResearchBucket:
        """Files."""
        return ResearchBucket(bootstrap.object_store(), settings().backtests_bucket)

    @property
    def simulate(self) -> Simulate:
        """What runs a backtest."""
        return run_backtest

    def files_of(
        self, result: BacktestResult, market: Market, statistics: Statistics
    ) -> dict[str, bytes]:
        """A result as files by name."""
        return files_of(result, market, statistics)

    def table(self, columns: Mapping[str, list[Any]]) -> bytes:
        """Columns as CSV."""
        return to_csv(columns)

    def wall_clock(self) -> datetime:
        """The present moment, UTC."""
        return bootstrap.wall_clock()

    def elapsed(self) -> float:
        """Seconds on a clock that never goes back."""
        return time.monotonic()

    def spare(self) -> float | None:
        """Seconds that the invocation at hand has to spare."""
        return deadline.spare()

    def dollars(self, seconds: float) -> Decimal:
        """What this function costs if it runs so long, with what starting it costs."""
        gigabytes = settings().memory_megabytes / 1024
        computing = Decimal(repr(seconds * gigabytes * DOLLARS_A_GB_SECOND))
        return (computing + DOLLARS_A_STEP).quantize(_MICRO, ROUND_UP)


@cache
def laboratory() -> LiveLaboratory:
    """The one laboratory of this process."""
    return LiveLaboratory()
