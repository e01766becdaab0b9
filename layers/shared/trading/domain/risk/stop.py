"""Stops: conditions on which a holding is left without asking again."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from trading.domain.money import ZERO
from trading.domain.order import Side
from trading.domain.value import Value


class StopKind(StrEnum):
    """How a stop's trigger is found."""

    FIXED = "fixed"
    TRAILING = "trailing"
    ATR = "atr"
    TIME = "time"
    TAKE_PROFIT = "take_profit"


FOLLOWING = frozenset({StopKind.TRAILING, StopKind.ATR})
"""Kinds whose trigger follows the best price seen."""


class StopState(StrEnum):
    """Armed waits; triggered has made its one exit order; removed no longer counts."""

    ARMED = "armed"
    TRIGGERED = "triggered"
    REMOVED = "removed"


class HoldingSide(StrEnum):
    """Which holdings a stop watches: those that gain as the price rises, or as it falls."""

    LONG = "long"
    SHORT = "short"


class Stop(Value):
    """A stop on a portfolio's holding of a symbol; one for longs does not act on shorts.

    Said here for longs; for shorts everything is mirrored. ``price`` is the trigger of fixed stops
    and take-profits. Trailing and ATR stops stand ``trail_percent``, ``trail_amount`` or
    ``atr_multiple`` times ``atr`` (quote currency) below ``peak``, the best price seen since
    ``since``; ``level`` is the tightest they have stood, as a growing ATR loosens nothing. Time
    stops go off at ``at``, or ``after_seconds`` after ``since``.

    ``since`` is when a holding was first seen by this stop, None while there is none: what the
    market did before concerns neither peak nor trigger. ``timeframe`` is that of its ATR's candles,
    ``bar`` the opening time of the newest bar it has seen. ``attempt`` counts exits that came to
    nothing; ``exit_id`` is the recommendation of the exit that is under way.
    """

    id: str
    portfolio_id: str
    symbol: str
    kind: StopKind
    holding: HoldingSide = HoldingSide.LONG
    price: Decimal | None = None
    trail_percent: Decimal | None = None
    trail_amount: Decimal | None = None
    atr_multiple: Decimal | None = None
    atr: Decimal | None = None
    after_seconds: int | None = None
    at: datetime | None = None
    timeframe: str | None = None
    peak: Decimal | None = None
    level: Decimal | None = None
    since: datetime | None = None
    bar: datetime | None = None
    state: StopState = StopState.ARMED
    exit_id: str | None = None
    attempt: int = 0
    version: int = 0
    created_at: datetime
    updated_at: datetime

    @property
    def exit_side(self) -> Side:
        """The side of the order that leaves the holding."""
        return Side.SELL if self.holding is HoldingSide.LONG else Side.BUY

    @property
    def trigger_price(self) -> Decimal | None:
        """The price at which it goes off; None where no price does, or none was seen yet."""
        if self.kind is StopKind.TIME:
            return None
        if self.kind not in FOLLOWING:
            return self.price
        if self.peak is None:
            return self.level
        away = self._away(self.peak)
        if away is None:
            return self.level
        stands = self.peak - self._sign * away
        return stands if self.level is None else self._best(stands, self.level)

    def same_terms(self, other: Stop) -> bool:
        """Whether both were asked for in the same words."""
        terms = ("kind", "holding", "price", "trail_percent", "trail_amount", "atr_multiple")
        more = ("after_seconds", "at", "timeframe")
        return all(getattr(self, name) == getattr(other, name) for name in (*terms, *more))

    def watching(self, quantity: Decimal, now: datetime) -> Stop:
        """Return the stop knowing whether there is a holding (signed ``quantity``) to watch.

        A new holding starts a new peak; the same object where nothing changed.
        """
        held = self._sign * quantity > ZERO
        if held == (self.since is not None):
            return self
        return self.model_copy(
            update={"since": now if held else None, "bar": None, "peak": None, "level": None}
        )

    def measured(self, atr: Decimal) -> Stop:
        """Return the stop with a new average true range; its trigger never moves away."""
        if atr == self.atr:
            return self
        level = self.trigger_price
        return self.model_copy(update={"atr": atr, "level": level})

    def observed(self, price: Decimal, now: datetime) -> Stop:
        """Return the stop after seeing ``price``: with a new peak, triggered, or as it was."""
        if self.state is not StopState.ARMED:
            return self
        seen = self
        if self.kind in FOLLOWING:
            peak = price if self.peak is None else self._best(self.peak, price)
            if peak != self.peak:
                seen = self.model_copy(update={"peak": peak, "updated_at": now})
                seen = seen.model_copy(update={"level": seen.trigger_price})
        return seen._triggered(now) if seen._reached(price, now) else seen

    def concerns(self, began: datetime, *, bar: bool) -> bool:
        """Whether what the market did from then on is news: a newer or the same bar, any price."""
        if self.since is None or began < self.since:
            return False
        return not bar or self.bar is None or began >= self.bar

    def observed_bar(self, high: Decimal, low: Decimal, now: datetime) -> Stop:
        """Return the stop after a bar, of which the better price is taken to have come first.

        That is the order in which a bar touches most: nobody can tell which came first.
        """
        best, worst = (high, low) if self.holding is HoldingSide.LONG else (low, high)
        return self.observed(best, now).observed(worst, now)

    @property
    def _sign(self) -> int:
        return 1 if self.holding is HoldingSide.LONG else -1

    def _best(self, a: Decimal, b: Decimal) -> Decimal:
        return max(a, b) if self.holding is HoldingSide.LONG else min(a, b)

    def _away(self, peak: Decimal) -> Decimal | None:
        """How far from its peak a following stop stands."""
        if self.trail_amount is not None:
            return self.trail_amount
        if self.trail_percent is not None:
            return peak * self.trail_percent / 100
        if self.atr is None or self.atr_multiple is None:
            return None
        return self.atr * self.atr_multiple

    def _reached(self, price: Decimal, now: datetime) -> bool:
        if self.kind is StopKind.TIME:
            return self._time_is_up(now)
        trigger = self.trigger_price
        if trigger is None:
            return False
        gain = self._sign * (price - trigger)
        return gain >= 0 if self.kind is StopKind.TAKE_PROFIT else gain <= 0

    def _time_is_up(self, now: datetime) -> bool:
        if self.at is not None and now >= self.at:
            return True
        if self.after_seconds is None or self.since is None:
            return False
        return (now - self.since).total_seconds() >= self.after_seconds

    def _triggered(self, now: datetime) -> Stop:
        return self.model_copy(update={"state": StopState.TRIGGERED, "updated_at": now})
