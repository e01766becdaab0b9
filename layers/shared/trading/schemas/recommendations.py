"""Wire models of the recommendations service."""

from __future__ import annotations

from pydantic import Field, computed_field

from trading.domain.order import OrderType, Side
from trading.domain.recommendation import Recommendation, RecommendationStatus
from trading.schemas.amount import OutAmount
from trading.schemas.base import PortfolioId, UtcDatetime, Wire
from trading.schemas.execution import OrderIn
from trading.schemas.risk import RuleResultOut


class RecommendationIn(OrderIn):
    """A recommendation made by a person; risk and the queue treat it as any other."""

    valid_until: UtcDatetime | None = None


class ContributionOut(Wire):
    """One signal's part in a recommendation."""

    signal_id: str
    source: str
    strategy: str
    score: OutAmount
    weight: OutAmount


class RecommendationOut(Wire):
    """A recommendation as it stands. ``status`` is the old name of ``execution_status``.

    ``notional`` sizes its order as it trades, ``quantity`` is what that came to when it was made.
    Its order is a bracket's entry where ``stop_loss``, ``trail_percent`` or ``take_profit`` are
    given; ``replaces`` are resting exits whose units it takes over.
    """

    id: str
    portfolio_id: str
    symbol: str
    side: Side
    type: OrderType
    quantity: OutAmount
    limit_price: OutAmount | None
    stop_price: OutAmount | None
    notional: OutAmount | None
    stop_loss: OutAmount | None
    trail_percent: OutAmount | None
    take_profit: OutAmount | None
    replaces: list[str] | None
    execution_status: RecommendationStatus
    reason: str | None
    source: str
    score: OutAmount | None
    price: OutAmount | None
    order_id: str | None
    created_at: UtcDatetime
    updated_at: UtcDatetime
    valid_until: UtcDatetime
    correlation_id: str

    @computed_field(json_schema_extra={"deprecated": True})  # type: ignore[prop-decorator]
    @property
    def status(self) -> RecommendationStatus:
        """Deprecated alias of ``execution_status``."""
        return self.execution_status

    @classmethod
    def of(cls, recommendation: Recommendation) -> RecommendationOut:
        """The wire form of a recommendation."""
        return cls(**recommendation.model_dump(include=set(cls.model_fields)))


class RecommendationDetail(RecommendationOut):
    """A recommendation with the signals, weights and risk results that explain it."""

    contributions: list[ContributionOut]
    risk: list[RuleResultOut]


class GenerateIn(Wire):
    """For which portfolios to recommend; every one that the key may see when left out."""

    portfolio_ids: list[PortfolioId] | None = Field(default=None, max_length=100)


class GenerateOut(Wire):
    """How many recommendations were made, rejected by risk, sent, and left in the outbox.

    ``unknown`` counts portfolios that the key is bound to and that do not exist.
    """

    created: int
    rejected: int
    unknown: int
    sent: int
    unsent: int
