"""The desk that trading use cases work at, with real adapters behind every drawer."""

from __future__ import annotations

from datetime import datetime
from functools import cache, cached_property

from trading import bootstrap
from trading.adapters.dynamodb.exposures import ExposureRepository
from trading.adapters.dynamodb.market import MarketRepository
from trading.adapters.dynamodb.orders import OrderRepository
from trading.adapters.dynamodb.portfolios import PortfolioRepository
from trading.adapters.dynamodb.risk_state import RiskRepository
from trading.adapters.dynamodb.stops import StopRepository
from trading.adapters.dynamodb.store import Store
from trading.adapters.dynamodb.strategy_schedule import StrategyScheduleRepository
from trading.adapters.sqs.execution_queue import SqsExecutionQueue
from trading.observed_writes import ObservedBooks, ObservedRecommendations, ObservedSignals
from trading.settings import Settings, settings


class LiveDesk:
    """Adapters made when first used, so that a function needs only the settings that it uses.

    Without a ``store`` and ``settings`` of its own it works with those of the process.
    """

    def __init__(self, store: Store | None = None, settings: Settings | None = None) -> None:
        self._given_store = store
        self._given_settings = settings

    @property
    def _store(self) -> Store:
        return self._given_store or bootstrap.store()

    @property
    def _settings(self) -> Settings:
        return self._given_settings or settings()

    @cached_property
    def books(self) -> ObservedBooks:
        """The books."""
        return ObservedBooks(self._store, self._settings, self.wall_clock)

    @cached_property
    def recommendations(self) -> ObservedRecommendations:
        """The recommendations."""
        return ObservedRecommendations(self._store, self._settings.recommendations_table)

    @cached_property
    def orders(self) -> OrderRepository:
        """The orders."""
        return OrderRepository(self._store, self._settings.orders_table)

    @cached_property
    def portfolios(self) -> PortfolioRepository:
        """The portfolios."""
        return PortfolioRepository(self._store, self._settings.portfolio_table)

    @cached_property
    def risk(self) -> RiskRepository:
        """Limits and decisions."""
        return RiskRepository(self._store, self._settings.risk_table)

    @cached_property
    def stops(self) -> StopRepository:
        """The stops."""
        return StopRepository(self._store, self._settings.risk_table)

    @cached_property
    def exposures(self) -> ExposureRepository:
        """Past exposures."""
        return ExposureRepository(self._store, self._settings.risk_table)

    @cached_property
    def market(self) -> MarketRepository:
        """Instruments, prices and candles."""
        return MarketRepository(self._store, self._settings.market_table)

    @cached_property
    def signals(self) -> ObservedSignals:
        """The signals."""
        return ObservedSignals(self._store, self._settings.signals_table)

    @cached_property
    def schedules(self) -> StrategyScheduleRepository:
        """What the schedule runs."""
        return StrategyScheduleRepository(self._store, self._settings.signals_table)

    @cached_property
    def queue(self) -> SqsExecutionQueue:
        """The way to execution."""
        return SqsExecutionQueue(bootstrap.queue_client, lambda: self._settings.execution_queue_url)

    def wall_clock(self) -> datetime:
        """The present moment, UTC."""
        return bootstrap.wall_clock()


@cache
def desk() -> LiveDesk:
    """The one desk of this process."""
    return LiveDesk()
