"""The desk that trading use cases work at, with real adapters behind every drawer."""

from __future__ import annotations

from datetime import datetime
from functools import cache, cached_property

from trading import bootstrap
from trading.adapters.dynamodb.books import BookRepository
from trading.adapters.dynamodb.market import MarketRepository
from trading.adapters.dynamodb.orders import OrderRepository
from trading.adapters.dynamodb.portfolios import PortfolioRepository
from trading.adapters.dynamodb.recommendations import RecommendationRepository
from trading.adapters.dynamodb.risk_state import RiskRepository
from trading.adapters.dynamodb.signals import SignalRepository
from trading.adapters.dynamodb.stops import StopRepository
from trading.adapters.sqs.execution_queue import SqsExecutionQueue
from trading.settings import settings


class LiveDesk:
    """Adapters made when first used, so that a function needs only the settings that it uses."""

    @cached_property
    def books(self) -> BookRepository:
        """The books."""
        return BookRepository(bootstrap.store(), settings(), self.wall_clock)

    @cached_property
    def recommendations(self) -> RecommendationRepository:
        """The recommendations."""
        return RecommendationRepository(bootstrap.store(), settings().recommendations_table)

    @cached_property
    def orders(self) -> OrderRepository:
        """The orders."""
        return OrderRepository(bootstrap.store(), settings().orders_table)

    @cached_property
    def portfolios(self) -> PortfolioRepository:
        """The portfolios."""
        return PortfolioRepository(bootstrap.store(), settings().portfolio_table)

    @cached_property
    def risk(self) -> RiskRepository:
        """Limits and decisions."""
        return RiskRepository(bootstrap.store(), settings().risk_table)

    @cached_property
    def stops(self) -> StopRepository:
        """The stops."""
        return StopRepository(bootstrap.store(), settings().risk_table)

    @cached_property
    def market(self) -> MarketRepository:
        """Instruments, prices and candles."""
        return MarketRepository(bootstrap.store(), settings().market_table)

    @cached_property
    def signals(self) -> SignalRepository:
        """The signals."""
        return SignalRepository(bootstrap.store(), settings().signals_table)

    @cached_property
    def queue(self) -> SqsExecutionQueue:
        """The way to execution."""
        return SqsExecutionQueue(bootstrap.queue_client, lambda: settings().execution_queue_url)

    def wall_clock(self) -> datetime:
        """The present moment, UTC."""
        return bootstrap.wall_clock()


@cache
def desk() -> LiveDesk:
    """The one desk of this process."""
    return LiveDesk()
