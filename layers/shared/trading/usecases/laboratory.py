"""What backtests that the platform runs for its users need from the outside world."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from trading.domain.backtest_run import BacktestRun, Sweep
from trading.quant.search.sweep import Trial
from trading.quant.simulation.market import Market
from trading.quant.simulation.result import BacktestResult
from trading.quant.statistics.backtest import Statistics
from trading.usecases.try_parameters import Simulate


class Experiments(Protocol):
    """Where runs and sweeps are kept, and the money that sweeps may spend."""

    def run(self, identifier: str) -> BacktestRun:
        """A run. Raises NotFound."""

    def begin_run(self, identifier: str, now: datetime) -> BacktestRun:
        """Count another attempt. Raises Conflict for a run that has ended."""

    def end_run(self, run: BacktestRun) -> None:
        """Write how a run ended, once. Raises Conflict if it had ended before."""

    def result(self, key: str) -> BacktestRun | None:
        """The run that computed a result, if one did."""

    def note_result(self, key: str, run_id: str) -> None:
        """Remember which run computed a result."""

    def sweep(self, identifier: str) -> Sweep:
        """A sweep. Raises NotFound."""

    def begin_sweep(self, identifier: str, attempt: int, now: datetime) -> Sweep | None:
        """Set an attempt going; None where it is not the sweep's present one, or has ended."""

    def note_sweep(self, identifier: str, now: datetime, known: Mapping[str, Any]) -> None:
        """Write what became known of a sweep."""

    def reserve(self, sweep: Sweep, cost: Decimal) -> bool:
        """Take money (US$) for work to come; False where the cap forbids."""

    def settle(self, identifier: str, difference: Decimal) -> None:
        """Correct what is spent."""

    def count_chunk(
        self, sweep: Sweep, number: int, tried: int, failed: int, now: datetime
    ) -> None:
        """Count a chunk's trials, once however often the chunk is repeated."""


class History(Protocol):
    """Where candles are kept."""

    def market(
        self,
        symbols: Sequence[str],
        timeframe: str,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Market:
        """The candles that open at or after ``start`` and before ``end``. Raises InvalidInput."""


class Shelf(Protocol):
    """Where files are kept."""

    def put_result(self, key: str, files: Mapping[str, bytes]) -> None:
        """Keep a run's files."""

    def put_market(self, market: Market) -> None:
        """Keep a sweep's candles under their hash."""

    def market(self, data_hash: str, timeframe: str) -> Market:
        """Read a sweep's candles back."""

    def put_trials(self, family: str, chunk: str, trials: list[Trial]) -> None:
        """Keep the trials that one chunk computed."""

    def trials(self, family: str) -> Iterator[Trial]:
        """Every trial of a family that any sweep computed, failed ones too."""

    def put_document(self, key: str, document: Any) -> None:
        """Keep a JSON document."""

    def document(self, key: str) -> Any:
        """Read a JSON document, or None."""

    def put_file(self, key: str, content: bytes) -> None:
        """Keep a file."""


class Laboratory(Protocol):
    """All of it together."""

    @property
    def experiments(self) -> Experiments:
        """Runs and sweeps."""

    @property
    def history(self) -> History:
        """Candles."""

    @property
    def shelf(self) -> Shelf:
        """Files."""

    @property
    def simulate(self) -> Simulate:
        """What runs a backtest."""

    def files_of(
        self, result: BacktestResult, market: Market, statistics: Statistics
    ) -> dict[str, bytes]:
        """A result as files by name."""

    def table(self, columns: Mapping[str, list[Any]]) -> bytes:
        """Columns as a file that spreadsheets read."""

    def wall_clock(self) -> datetime:
        """The present moment, UTC."""

    def elapsed(self) -> float:
        """Seconds on a clock that never goes back, to measure work with."""

    def spare(self) -> float | None:
        """Seconds that the work at hand may still take; None where nothing ends it."""

    def dollars(self, seconds: float) -> Decimal:
        """What a function that runs so long costs."""
