"""What an order can ask for, as it is written on the wire."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from trading.domain.order import OrderType, Side, TimeInForce
from trading.domain.order_request import OrderRequest, StopLoss
from trading.schemas.amount import PositiveAmount, Within
from trading.schemas.base import Flag, Symbol, UtcDatetime, Wire


class TakeProfitIn(Wire):
    """A bracket's exit with a gain, as a limit order."""

    limit_price: PositiveAmount


class StopLossIn(Wire):
    """A bracket's exit with a loss: a stop (with ``limit_price`` a stop-limit), or trailing."""

    stop_price: PositiveAmount | None = None
    trail_percent: Annotated[PositiveAmount, Within(lt=100)] | None = None
    limit_price: PositiveAmount | None = None

    @model_validator(mode="after")
    def _one_trigger(self) -> StopLossIn:
        if (self.stop_price is None) == (self.trail_percent is None):
            raise ValueError("give either stop_price or trail_percent")
        if self.trail_percent is not None and self.limit_price is not None:
            raise ValueError("limit_price goes with stop_price only")
        return self


class OrderTerms(Wire):
    """What an order asks for; ``quantity`` is in units of the instrument, in whole lots."""

    symbol: Symbol
    side: Side
    type: OrderType = OrderType.MARKET
    quantity: PositiveAmount
    limit_price: PositiveAmount | None = Field(
        default=None, description="Worst price to trade at; needed for limit and stop_limit."
    )
    stop_price: PositiveAmount | None = Field(
        default=None, description="Where it goes off; needed for stop and stop_limit."
    )
    trail_percent: Annotated[PositiveAmount, Within(lt=100)] | None = Field(
        default=None, description="Distance from the best price; for trailing_stop."
    )
    time_in_force: TimeInForce = TimeInForce.GTC
    expires_at: UtcDatetime | None = Field(default=None, description="The end of a gtd order.")
    reduce_only: Flag = Field(
        default=False, description="Never opens a holding or turns one around."
    )
    oco_order_id: str | None = Field(
        default=None,
        pattern=r"^ord_[0-9a-f]{32}$",
        description="An open order of the same quantity: what one fills, the other loses.",
    )
    take_profit: TakeProfitIn | None = None
    stop_loss: StopLossIn | None = None

    def request(self, portfolio_id: str, cause: str, correlation_id: str) -> OrderRequest:
        """The request that these terms make."""
        own = self.model_dump(exclude={"portfolio_id", "take_profit", "stop_loss"})
        return OrderRequest(
            portfolio_id=portfolio_id,
            **own,
            take_profit=self.take_profit.limit_price if self.take_profit else None,
            stop_loss=StopLoss(**self.stop_loss.model_dump()) if self.stop_loss else None,
            cause=cause,
            correlation_id=correlation_id,
        )
