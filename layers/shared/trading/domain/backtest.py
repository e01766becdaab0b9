"""What a backtest is made from: a strategy, a market, an account, and the rules that it obeys."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pydantic import ConfigDict, Field

from trading.domain.fill_model import FillModel, FillTiming
from trading.domain.instrument import Instrument
from trading.domain.money import ZERO
from trading.domain.portfolio import Account, AllocationPolicy, Clock, Mode
from trading.domain.position import CostMethod
from trading.domain.risk.limits import NO_LIMITS, RiskLimits
from trading.domain.value import Value

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_FIVE_DAYS = 5 * 86_400


def all_in(symbols: int) -> AllocationPolicy:
    """The policy of who names none: all cash, in equal parts where there are several symbols.

    What is recommended, and what it rests on, stays good over a weekend.
    """
    part = (Decimal(1) / symbols).quantize(Decimal("0.0001"), "ROUND_DOWN")
    return AllocationPolicy(
        target_fraction=part, valid_for_seconds=_FIVE_DAYS, signal_max_age_seconds=_FIVE_DAYS
    )


class Gear(StrEnum):
    """What runs a backtest: the platform's own rules bar by bar, their compiled twin, or either."""

    AUTO = "auto"
    REFERENCE = "reference"
    FAST = "fast"


class FundingRate(Value):
    """What holding a perpetual costs at a moment: longs pay ``rate`` of the notional to shorts.

    It is charged at the first bar that closes at or after ``time``, on that bar's close.
    """

    model_config = ConfigDict(extra="forbid")

    symbol: str
    time: datetime
    rate: Decimal = Field(ge=-1, le=1)


class BacktestConfig(Value):
    """All that decides how a backtest ends, beside the candles, which ``data_hash`` names.

    ``start`` and ``end`` bound the opening times of the bars: at or after, and before.
    ``instruments`` has one entry per symbol, all quoted in ``base_currency``, which ``cash`` is in.
    """

    model_config = ConfigDict(extra="forbid")

    strategy: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    symbols: list[str] = Field(min_length=1)
    timeframe: str
    start: datetime | None = None
    end: datetime | None = None
    instruments: dict[str, Instrument]
    base_currency: str
    cash: Decimal = Field(ge=0)
    commission_rate: Decimal = Field(default=ZERO, ge=0, le=Decimal("0.1"))
    fill_model: FillModel = Field(default_factory=lambda: FillModel(timing=FillTiming.NEXT_BAR))
    margin: bool = False
    borrow_rate: Decimal = Field(default=ZERO, ge=0, le=10)
    cost_method: CostMethod = CostMethod.AVERAGE
    policy: AllocationPolicy = Field(default_factory=AllocationPolicy)
    limits: RiskLimits = NO_LIMITS
    funding: list[FundingRate] = Field(default_factory=list)
    gear: Gear = Gear.AUTO
    data_hash: str | None = None

    def account(self, portfolio_id: str = "backtest", now: datetime = BEGINNING) -> Account:
        """The account as it is before the first bar, without its cash, which is yet to come in."""
        return Account(
            portfolio_id=portfolio_id,
            base_currency=self.base_currency,
            mode=Mode.PAPER,
            clock=Clock.MARKET,
            commission_rate=self.commission_rate,
            fill_model=self.fill_model,
            margin=self.margin,
            cost_method=self.cost_method,
            borrow_rate=self.borrow_rate,
            policy=self.policy.model_copy(update={"symbols": sorted(self.symbols)}),
            created_at=now,
            updated_at=now,
        )

    def canonical_json(self) -> str:
        """The one text of this configuration: keys sorted, no spaces, amounts as text."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))

    @property
    def config_hash(self) -> str:
        """SHA-256 of the canonical text, in hexadecimal."""
        return hashlib.sha256(self.canonical_json().encode()).hexdigest()
