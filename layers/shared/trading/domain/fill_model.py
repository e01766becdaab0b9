"""What trading costs a portfolio beside its commission: spread, slippage, and thin volume.

The same model prices fills in mock and paper mode and in a backtest.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from pydantic import ConfigDict, Field

from trading.domain.money import ONE, ZERO, ceil_to_step, floor_to_step
from trading.domain.order import Side
from trading.domain.value import Value

BASIS_POINTS = Decimal(10_000)


class SlippageModel(StrEnum):
    """How far a taker's price moves against it: not, by a fixed part, or by its share of volume."""

    NONE = "none"
    FIXED = "fixed"
    VOLUME_SHARE = "volume_share"


class FillTiming(StrEnum):
    """When an order that would trade at once does: at the mark as it stands, or at the next bar.

    Of a bar that has just closed the mark is its close; the next bar is met at its open.
    """

    IMMEDIATE = "immediate"
    NEXT_BAR = "next_bar"


class FillModel(Value):
    """How a portfolio's simulated fills are priced and limited.

    ``maker_rate`` is the commission of orders that waited in the book, as a fraction of notional
    (None: the same as the portfolio's ``commission_rate``, which takers pay). ``spread_bps`` is
    the whole spread between bid and ask, in basis points of the price. ``slippage_bps`` is what a
    taker loses on top: always (``fixed``), or times the square of the order's share in the bar's
    volume (``volume_share``; a bar of unknown volume counts as a share of one).
    ``participation_rate`` is the part of a bar's volume that may be traded by the portfolio (None:
    no limit). ``timing`` says when orders that would trade at once do.
    """

    model_config = ConfigDict(extra="forbid")

    maker_rate: Decimal | None = Field(default=None, ge=0, le=Decimal("0.1"))
    spread_bps: Decimal = Field(default=ZERO, ge=0, le=2000)
    slippage: SlippageModel = SlippageModel.NONE
    slippage_bps: Decimal = Field(default=ZERO, ge=0, le=2000)
    participation_rate: Decimal | None = Field(default=None, gt=0, le=1)
    timing: FillTiming = FillTiming.IMMEDIATE

    def quoted(self, price: Decimal, side: Side) -> Decimal:
        """The ask (for a buy) or the bid (for a sell) when the market is at ``price``."""
        if not self.spread_bps:
            return price
        half = price * self.spread_bps / (2 * BASIS_POINTS)
        return price + half if side is Side.BUY else price - half

    def taker_price(
        self, price: Decimal, side: Side, quantity: Decimal, volume: Decimal | None, tick: Decimal
    ) -> Decimal:
        """What a taker of ``quantity`` pays or gets, on a whole tick, rounded against the taker.

        The impact by volume share is that of Zipline's ``VolumeShareSlippage``: a constant times
        the square of the share.
        """
        quoted = self.quoted(price, side)
        move = quoted * self._slip(quantity, volume)
        if quoted == price and not move:
            return price
        if side is Side.BUY:
            return ceil_to_step(quoted + move, tick)
        return max(floor_to_step(quoted - move, tick), tick)

    def _slip(self, quantity: Decimal, volume: Decimal | None) -> Decimal:
        """Slippage as a fraction of the price."""
        if self.slippage is SlippageModel.NONE:
            return ZERO
        worst = self.slippage_bps / BASIS_POINTS
        if self.slippage is SlippageModel.FIXED or not volume:
            return worst
        share = min(ONE, quantity / volume)
        return worst * share * share

    def room(self, volume: Decimal | None, used: Decimal, lot: Decimal) -> Decimal | None:
        """How much of a bar's volume is still free to trade, in whole lots; None if not limited."""
        if self.participation_rate is None or volume is None:
            return None
        return max(ZERO, floor_to_step(volume * self.participation_rate - used, lot))
