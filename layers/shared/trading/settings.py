"""What the environment says: names of tables and queues, and what to work on.

A function is given only the variables of what it may touch, so each is read when it is asked for
and a missing one is an error that names it.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass


class MissingSettingError(RuntimeError):
    """A setting was asked for whose environment variable is not set."""

    def __init__(self, variable: str) -> None:
        super().__init__(f"the environment variable {variable} is not set")
        self.variable = variable


@dataclass(frozen=True)
class Settings:
    """Typed access to one snapshot of the environment. Raises MissingSettingError on use."""

    environment: Mapping[str, str]

    def _required(self, variable: str) -> str:
        value = self.environment.get(variable, "")
        if not value:
            raise MissingSettingError(variable)
        return value

    def _listed(self, variable: str) -> tuple[str, ...]:
        return _parts(self._required(variable))

    @property
    def keys_table(self) -> str:
        """Table of API keys."""
        return self._required("KEYS_TABLE")

    @property
    def market_table(self) -> str:
        """Table of instruments, prices and candles."""
        return self._required("MARKET_TABLE")

    @property
    def signals_table(self) -> str:
        """Table of signals."""
        return self._required("SIGNALS_TABLE")

    @property
    def recommendations_table(self) -> str:
        """Table of recommendations and their outbox."""
        return self._required("RECOMMENDATIONS_TABLE")

    @property
    def orders_table(self) -> str:
        """Table of orders and fills."""
        return self._required("ORDERS_TABLE")

    @property
    def portfolio_table(self) -> str:
        """Table of accounts, positions, ledger and equity."""
        return self._required("PORTFOLIO_TABLE")

    @property
    def risk_table(self) -> str:
        """Table of limits, day counters, decisions and stops."""
        return self._required("RISK_TABLE")

    @property
    def idempotency_table(self) -> str:
        """Table of answers kept for repeated requests."""
        return self._required("IDEMPOTENCY_TABLE")

    @property
    def audit_table(self) -> str:
        """Table of the audit trail."""
        return self._required("AUDIT_TABLE")

    @property
    def backtests_table(self) -> str:
        """Table of backtests and sweeps."""
        return self._required("BACKTESTS_TABLE")

    @property
    def candles_bucket(self) -> str:
        """Bucket of bulk history."""
        return self._required("CANDLES_BUCKET")

    @property
    def backtests_bucket(self) -> str:
        """Bucket of what backtests and sweeps leave behind."""
        return self._required("BACKTESTS_BUCKET")

    @property
    def run_function(self) -> str:
        """Name of the function that runs a backtest."""
        return self._required("BACKTESTING_RUN_FUNCTION")

    @property
    def sweep_machine(self) -> str:
        """ARN of the state machine that runs a sweep."""
        return self._required("SWEEP_STATE_MACHINE")

    @property
    def memory_megabytes(self) -> int:
        """Memory of this function, which its price depends on."""
        return int(self._required("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"))

    @property
    def execution_queue_url(self) -> str:
        """Address of the queue from recommendations to execution."""
        return self._required("EXECUTION_QUEUE_URL")

    @property
    def dead_letter_queue_url(self) -> str:
        """Address of the queue that takes what execution could not."""
        return self._required("DEAD_LETTER_QUEUE_URL")

    @property
    def stage(self) -> str:
        """Name of the deployment stage, such as dev or prod."""
        return self._required("STAGE")

    @property
    def watch_list(self) -> tuple[str, ...]:
        """Symbols to fetch and to make signals for; none means every instrument."""
        return _parts(self.environment.get("WATCH_LIST", ""))

    @property
    def cors_origins(self) -> tuple[str, ...]:
        """Origins whose pages may call from a browser; none unless set."""
        return _parts(self.environment.get("CORS_ORIGINS", ""))

    @property
    def metrics_cache_seconds(self) -> int:
        """How long figures that were read may be shown to scrapers; 15 unless set."""
        return int(self.environment.get("METRICS_CACHE_SECONDS") or 15)

    @property
    def timeframe(self) -> str:
        """Bar length to work on; ``1d`` unless set."""
        return self.environment.get("TIMEFRAME") or "1d"

    @property
    def strategies(self) -> tuple[str, ...]:
        """Names of the strategies to run."""
        return self._listed("STRATEGIES")


def _parts(text: str) -> tuple[str, ...]:
    """What stands between commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


@functools.cache
def settings() -> Settings:
    """Return the settings, read from the environment on first use."""
    return Settings(dict(os.environ))
