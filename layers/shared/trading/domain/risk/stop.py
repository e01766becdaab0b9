"""Stops: prices at which a holding is sold without asking again."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from trading.domain.value import Value


class StopKind(StrEnum):
    """How a stop's trigger is found."""

    FIXED = "fixed"
    TRAILING = "trailing"
    TAKE_PROFIT = "take_profit"


class StopState(StrEnum):
    """Armed waits; triggered has made its one exit order; removed no longer counts."""

    ARMED = "armed"
    TRIGGERED = "triggered"
    REMOVED = "removed"


class Stop(Value):
    """A stop on a portfolio's holding of a symbol.

    ``price`` is the trigger of fixed stops and take-profits; ``trail_percent`` the distance of a
    trailing stop below ``peak``, the highest price seen since it was set.
    """

    id: str
    portfolio_id: str
    symbol: str
    kind: StopKind
    price: Decimal | None = None
    trail_percent: Decimal | None = None
    peak: Decimal | None = None
    state: StopState = StopState.ARMED
    version: int = 0
    created_at: datetime
    updated_at: datetime

    @property
    def trigger_price(self) -> Decimal | None:
        """The price at which it goes off; None for a trailing stop that saw no price yet."""
        if self.kind is not StopKind.TRAILING:
            return self.price
        if self.peak is None or self.trail_percent is None:
            return None
        return self.peak * (100 - self.trail_percent) / 100

    def observed(self, price: Decimal, now: datetime) -> Stop:
        """Return the stop after seeing ``price``: with a new peak, triggered, or as it was."""
        if self.state is not StopState.ARMED:
            return self
        peak = max(self.peak or price, price) if self.kind is StopKind.TRAILING else self.peak
        seen = self.model_copy(update={"peak": peak})
        trigger = seen.trigger_price
        above = self.kind is StopKind.TAKE_PROFIT
        hit = trigger is not None and (price >= trigger if above else price <= trigger)
        if not hit and peak == self.peak:
            return self
        state = StopState.TRIGGERED if hit else StopState.ARMED
        return seen.model_copy(
            update={"state": state, "version": self.version + 1, "updated_at": now}
        )
