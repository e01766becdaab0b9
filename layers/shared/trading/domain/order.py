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
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"


STOP_TYPES = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP})
LIMITED_TYPES = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})


class TimeInForce(StrEnum):
    """How long an order may work.

    Until it is cancelled, at once or not (in part, or only whole), or until ``expires_at``.
    """

    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    GTD = "gtd"


class Liquidity(StrEnum):
    """Whether a fill took what stood in the book, or stood there itself."""

    TAKER = "taker"
    MAKER = "maker"


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


class Via(StrEnum):
    """What may move an order's state.

    The ordinary course of things; a fill that the venue reports after the order has ended; or
    the venue's word on an order whose answer was lost.
    """

    ORDINARY = "ordinary"
    LATE_FILL = "late_fill"
    RECONCILIATION = "reconciliation"


_S = OrderStatus


def _by(via: Via, *to: OrderStatus) -> dict[OrderStatus, Via]:
    return dict.fromkeys(to, via)


ORDER_MOVES: dict[OrderStatus, dict[OrderStatus, Via]] = {
    _S.NEW: _by(
        Via.ORDINARY,
        *(_S.ACCEPTED, _S.PARTIALLY_FILLED, _S.FILLED, _S.REJECTED, _S.CANCELLED, _S.EXPIRED),
    ),
    _S.ACCEPTED: _by(
        Via.ORDINARY,
        *(_S.SUBMITTED, _S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED, _S.EXPIRED, _S.REJECTED),
    ),
    _S.SUBMITTED: _by(
        Via.ORDINARY,
        *(_S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED, _S.REJECTED, _S.EXPIRED, _S.UNKNOWN),
    ),
    # The venue's answer was lost: only what it says on being asked leads out of here.
    _S.UNKNOWN: _by(
        Via.RECONCILIATION,
        *(_S.SUBMITTED, _S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED, _S.REJECTED, _S.EXPIRED),
    ),
    _S.PARTIALLY_FILLED: _by(
        Via.ORDINARY,
        *(_S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED, _S.EXPIRED, _S.REJECTED, _S.UNKNOWN),
    ),
    # Odd but real: a fill that happened at the venue before it saw our cancel or the time ran
    # out, reported after. The rest of the order is gone all the same, so that a fill of a part
    # leaves it ended.
    _S.CANCELLED: _by(Via.LATE_FILL, _S.CANCELLED, _S.FILLED),
    _S.EXPIRED: _by(Via.LATE_FILL, _S.EXPIRED, _S.FILLED),
    _S.FILLED: {},
    _S.REJECTED: {},
}
"""From each state, the states an order may move to, and by what; anything else raises."""

OPEN_STATUSES = frozenset({_S.ACCEPTED, _S.SUBMITTED, _S.PARTIALLY_FILLED, _S.UNKNOWN})


class Order(Value):
    """An instruction to trade ``quantity`` (units of the instrument), and what became of it.

    ``cause`` says what made the order (``recommendation:<id>``, ``request:<key>``, ``stop:<id>``);
    the id derives from it. ``stop_price`` is the trigger of stop orders, ``trail_percent`` the
    distance of a trailing stop from ``trail_peak``, the best price it has seen; ``triggered``
    tells that a stop has gone off. ``expires_at`` ends a GTD order.

    Links: an entry names its bracket's exits (``take_profit_id``, ``stop_loss_id``), which wait as
    ``new`` until it fills and name it as ``parent_id``; of two orders with ``oco_id``, each other's
    id, what one fills the other loses. ``protective`` orders are exits by a stop.

    A market order with a ``notional`` is sized when it first trades: its quantity becomes as many
    whole lots as that much quote currency pays for, commission included; until then ``quantity``
    is what it came to at the price when it was made. ``replaces`` are exits whose units it took
    over: they ended when it came.

    ``attribution`` says whose units it trades, in parts of one by strategy or source; None is a
    person's. ``reserved_cash``, ``reserved_quantity`` and ``reserved_notional`` are its part in
    what the account and the position have promised while it is open. What happened in the market
    up to ``matched_until`` has been shown to it. ``fills`` counts its executions.
    """

    id: str
    portfolio_id: str
    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_percent: Decimal | None = None
    trail_peak: Decimal | None = None
    triggered: bool | None = None
    notional: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    expires_at: datetime | None = None
    reduce_only: bool | None = None
    replaces: tuple[str, ...] | None = None
    protective: bool | None = None
    parent_id: str | None = None
    take_profit_id: str | None = None
    stop_loss_id: str | None = None
    oco_id: str | None = None
    execution_status: OrderStatus = OrderStatus.NEW
    reason: str | None = None
    filled_quantity: Decimal = ZERO
    filled_notional: Decimal = ZERO
    fees: Decimal = ZERO
    fills: int = 0
    reserved_cash: Decimal = ZERO
    reserved_quantity: Decimal = ZERO
    reserved_notional: Decimal = ZERO
    currency: str
    cause: str
    recommendation_id: str | None = None
    attribution: dict[str, Decimal] | None = None
    request_hash: str
    created_at: datetime
    updated_at: datetime
    matched_until: datetime | None = None
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

    @property
    def waits_for_entry(self) -> bool:
        """Whether it is a bracket's exit whose entry has not traded yet."""
        return self.parent_id is not None and self.execution_status is OrderStatus.NEW

    @property
    def seen_until(self) -> datetime:
        """The moment up to which the market is known to the order."""
        return self.matched_until or self.created_at

    @property
    def linked_ids(self) -> tuple[str, ...]:
        """The ids of the orders that may change along with this one."""
        links = (self.parent_id, self.take_profit_id, self.stop_loss_id, self.oco_id)
        return tuple(sorted({link for link in links if link}))

    @property
    def stop_trigger(self) -> Decimal | None:
        """The price at which a stop goes off; None for other types, or before a first price."""
        if self.type is not OrderType.TRAILING_STOP:
            return self.stop_price
        if self.trail_peak is None or self.trail_percent is None:
            return None
        away = self.trail_peak * self.trail_percent / 100
        return self.trail_peak + away if self.side is Side.BUY else self.trail_peak - away

    def moved(
        self,
        status: OrderStatus,
        now: datetime,
        reason: str | None = None,
        via: Via = Via.ORDINARY,
    ) -> Order:
        """Return the order in another state. Raises IllegalTransition if the table forbids it."""
        return self._moved(status, now, reason, via, {})

    def _moved(
        self,
        status: OrderStatus,
        now: datetime,
        reason: str | None,
        via: Via,
        changed: dict[str, object],
    ) -> Order:
        """Return the order in another state, and ``changed`` along with it."""
        if ORDER_MOVES[self.execution_status].get(status) is not via:
            raise IllegalTransition(
                f"order '{self.id}' is {self.execution_status} and cannot become {status}"
            )
        return self.model_copy(
            update={
                "execution_status": status,
                "reason": reason,
                "updated_at": now,
                "version": self.version + 1,
                **changed,
            }
        )

    def filled(self, fill: Fill) -> Order:
        """Return the order after ``fill``: filled, or partially filled if some remains.

        A fill that comes late, after the order has ended, leaves what did not fill ended. Raises
        ValueError for more than remains, IllegalTransition where no fill can come.
        """
        if fill.quantity > self.remaining:
            raise ValueError(f"order '{self.id}' has {self.remaining} left, not {fill.quantity}")
        late = self.execution_status in (_S.CANCELLED, _S.EXPIRED)
        quantity = self.filled_quantity + fill.quantity
        if quantity == self.quantity:
            status = OrderStatus.FILLED
        else:
            status = self.execution_status if late else OrderStatus.PARTIALLY_FILLED
        via, reason = (Via.LATE_FILL, self.reason) if late else (Via.ORDINARY, None)
        changed: dict[str, object] = {
            "filled_quantity": quantity,
            "filled_notional": self.filled_notional + fill.notional,
            "fees": self.fees + fill.fee,
            "fills": self.fills + 1,
        }
        return self._moved(status, fill.time, reason, via, changed)


class Fill(Value):
    """One execution: ``quantity`` units at ``price``, for ``fee`` in the quote currency.

    ``liquidity`` is None for fills from before it was noted.
    """

    id: str
    order_id: str
    portfolio_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    currency: str
    liquidity: Liquidity | None = None
    time: datetime
    correlation_id: str

    @property
    def notional(self) -> Decimal:
        """Price times quantity, exactly."""
        return self.price * self.quantity
