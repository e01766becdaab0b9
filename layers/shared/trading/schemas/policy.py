"""Wire model of a portfolio's allocation policy."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from trading.domain.errors import InvalidInput
from trading.domain.order import OrderType
from trading.domain.portfolio import SIZED_BY, AllocationPolicy, Direction, Sizing
from trading.schemas.amount import Amount, NonNegativeAmount, PositiveAmount, Within
from trading.schemas.base import Symbol, Whole, Wire
from trading.schemas.signals import Name

Percent = Annotated[PositiveAmount, Within(lt=100)]


class PolicyTerms(Wire):
    """How signals become target positions.

    A mean score of at least ``entry_score`` buys up to ``target_fraction`` of equity per symbol;
    one of at most ``exit_score`` sells the holding; ``direction`` says whether low scores also
    open shorts, mirrored. ``sizing`` fraction multiplies ``target_fraction`` with the score, the
    others take ``quantity`` (units), ``notional`` (quote currency), or what lets the entry's stop
    lose ``risk_fraction`` of equity, at most ``target_fraction``. ``entry`` is the type of entry
    orders, a limit ``entry_offset_bps`` better or a stop that much worse than the price. Entries
    get exits ``stop_loss_percent`` (or trailing ``trail_percent``) and ``take_profit_percent`` from
    their price, unless a signal says where. ``weights`` weigh strategies against each other (1
    where not named); ``symbols`` limits what is traded (null: every instrument). Signals older than
    ``signal_max_age_seconds`` do not count; a recommendation lapses after ``valid_for_seconds``.
    """

    entry_score: Annotated[PositiveAmount, Within(le=1)] = Decimal("0.5")
    exit_score: Annotated[Amount, Within(ge=-1, lt=0)] = Decimal("-0.5")
    target_fraction: Annotated[PositiveAmount, Within(le=1)] = Decimal("0.1")
    direction: Direction = Direction.LONG
    sizing: Sizing = Sizing.FRACTION
    quantity: PositiveAmount | None = None
    notional: PositiveAmount | None = None
    risk_fraction: Annotated[PositiveAmount, Within(le=1)] | None = None
    entry: Literal[OrderType.MARKET, OrderType.LIMIT, OrderType.STOP] = OrderType.MARKET
    entry_offset_bps: Annotated[NonNegativeAmount, Within(lt=10_000)] = Decimal(0)
    stop_loss_percent: Percent | None = None
    trail_percent: Percent | None = None
    take_profit_percent: PositiveAmount | None = None
    weights: dict[Name, NonNegativeAmount] = Field(default_factory=dict, max_length=100)
    symbols: list[Symbol] | None = Field(default=None, max_length=1000)
    valid_for_seconds: Whole = Field(default=3600, ge=1, le=30 * 86400)
    signal_max_age_seconds: Whole = Field(default=4 * 86400, ge=1, le=90 * 86400)

    @model_validator(mode="after")
    def _sized(self) -> PolicyTerms:
        needed = SIZED_BY.get(self.sizing)
        if needed and getattr(self, needed) is None:
            raise InvalidInput(f"policy.{needed}", f"is needed for sizing {self.sizing}")
        return self

    @property
    def policy(self) -> AllocationPolicy:
        """The policy, with its own defaults where nothing is said."""
        return AllocationPolicy(**self.model_dump(exclude_unset=True))

    @classmethod
    def of(cls, policy: AllocationPolicy) -> PolicyTerms:
        """The wire form of a policy."""
        return cls.model_construct(**policy.model_dump())
