"""Orders and fills, and the one table of the moves an order's state may make."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from trading.domain.errors import IllegalTransition
from trading.domain.money import ZERO, average
from trading.domain.value import Value


class Side(StrEnum):
    """Which way an order trades."""

    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    """How an order's price is found."""

    MARKET = "market"
    LIMIT = "limit"


class OrderStatus(StrEnum):
    """Where an order is in its life; the values of ``execution_status``."""

    NEW = "new"
    ACCEPTED = "accepted"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"


_S = OrderStatus
ORDER_MOVES: dict[OrderStatus, frozenset[OrderStatus]] = {
    _S.NEW: frozenset({_S.ACCEPTED, _S.FILLED, _S.REJECTED, _S.EXPIRED}),
    _S.ACCEPTED: frozenset(
        {_S.SUBMITTED, _S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED, _S.EXPIRED, _S.REJECTED}
    ),
    _S.SUBMITTED: frozenset(
        {_S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED, _S.REJECTED, _S.EXPIRED, _S.UNKNOWN}
    ),
    # The venue's answer was lost: only what the venue says on being asked leads out of here.
    _S.UNKNOWN: frozenset(
        {_S.SUBMITTED, _S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED, _S.REJECTED, _S.EXPIRED}
    ),
    _S.PARTIALLY_FILLED: frozenset(
        {_S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED, _S.EXPIRED, _S.UNKNOWN}
    ),
    # Odd but real: a fill that happened at the venue before it saw our cancel, reported after.
    _S.CANCELLED: frozenset({_S.PARTIALLY_FILLED, _S.FILLED}),
    _S.EXPIRED: frozenset({_S.PARTIALLY_FILLED, _S.FILLED}),
    _S.FILLED: frozenset(),
    _S.REJECTED: frozenset(),
}
"""From each state, the states an order may move to; anything else raises."""

OPEN_STATUSES = frozenset({_S.ACCEPTED, _S.SUBMITTED, _S.PARTIALLY_FILLED, _S.UNKNOWN})


class Order(Value):
    """An instruction to trade ``quantity`` (units of the instrument), and what became of it.

    ``cause`` says what made the order (``recommendation:<id>``, ``request:<key>``, ``stop:<id>``);
    the id derives from it. ``reserved_cash`` is set aside in the account while a buy rests.
    """

    id: str
    portfolio_id: str
    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal
    limit_price: Decimal | None = None
    execution_status: OrderStatus = OrderStatus.NEW
    reason: str | None = None
    filled_quantity: Decimal = ZERO
    filled_notional: Decimal = ZERO
    fees: Decimal = ZERO
    reserved_cash: Decimal = ZERO
    currency: str
    cause: str
    recommendation_id: str | None = None
    request_hash: str
    created_at: datetime
    updated_at: datetime
    correlation_id: str
    version: int = 0

    @property
    def remaining(self) -> Decimal:
        """Quantity not yet filled."""
        return self.quantity - self.filled_quantity

    @property
    def average_price(self) -> Decimal | None:
        """Mean fill price, or None before the first fill."""
        if not self.filled_quantity:
            return None
        return average(self.filled_notional, self.filled_quantity)

    @property
    def is_open(self) -> bool:
        """Whether the order can still trade."""
        return self.execution_status in OPEN_STATUSES

    def moved(self, status: OrderStatus, now: datetime, reason: str | None = None) -> Order:
        """Return the order in another state. Raises IllegalTransition if the table forbids it."""
        if status not in ORDER_MOVES[self.execution_status]:
            raise IllegalTransition(
                f"order '{self.id}' is {self.execution_status} and cannot become {status}"
            )
        return self.model_copy(
            update={
                "execution_status": status,
                "reason": reason,
                "updated_at": now,
                "version": self.version + 1,
            }
        )

    def filled(self, fill: Fill) -> Order:
        """Return the order after ``fill``: filled, or partially filled if some remains."""
        quantity = self.filled_quantity + fill.quantity
        done = quantity == self.quantity
        status = OrderStatus.FILLED if done else OrderStatus.PARTIALLY_FILLED
        return self.moved(status, fill.time).model_copy(
            update={
                "filled_quantity": quantity,
                "filled_notional": self.filled_notional + fill.notional,
                "fees": self.fees + fill.fee,
                "reserved_cash": ZERO if done else self.reserved_cash,
            }
        )


class Fill(Value):
    """One execution: ``quantity`` units at ``price``, for ``fee`` in the quote currency."""

    id: str
    order_id: str
    portfolio_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    currency: str
    time: datetime
    correlation_id: str

    @property
    def notional(self) -> Decimal:
        """Price times quantity, exactly."""
        return self.price * self.quantity
