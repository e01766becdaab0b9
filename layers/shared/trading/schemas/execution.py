"""Wire models of the execution service."""

from __future__ import annotations

from pydantic import Field, computed_field

from trading.domain.order import (
    Fill,
    Liquidity,
    Order,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from trading.domain.risk.engine import Decision
from trading.schemas.amount import OutAmount
from trading.schemas.base import PortfolioId, UtcDatetime, Wire
from trading.schemas.orders import OrderTerms
from trading.schemas.problem import FieldError, Problem
from trading.schemas.risk import RuleResultOut


class OrderIn(OrderTerms):
    """An order to place in a portfolio; with exits it is a bracket's entry."""

    portfolio_id: PortfolioId


class OrderOut(Wire):
    """An order as it stands. ``status`` is the old name of ``execution_status``.

    The exits of a bracket's entry (``take_profit_id``, ``stop_loss_id``) wait as ``new`` until it
    trades, and name it as ``parent_id``; ``oco_id`` is the order it is linked to. ``notional``
    sizes a market order as it first trades; ``replaces`` are exits whose units it took over.
    """

    id: str
    portfolio_id: str
    symbol: str
    side: Side
    type: OrderType
    quantity: OutAmount
    limit_price: OutAmount | None
    stop_price: OutAmount | None
    trail_percent: OutAmount | None
    trail_peak: OutAmount | None
    trigger_price: OutAmount | None
    notional: OutAmount | None
    triggered: bool
    time_in_force: TimeInForce
    expires_at: UtcDatetime | None
    reduce_only: bool
    replaces: list[str] | None
    parent_id: str | None
    take_profit_id: str | None
    stop_loss_id: str | None
    oco_id: str | None
    execution_status: OrderStatus
    reason: str | None
    filled_quantity: OutAmount
    remaining_quantity: OutAmount
    average_price: OutAmount | None
    fees: OutAmount
    currency: str
    cause: str
    recommendation_id: str | None
    created_at: UtcDatetime
    updated_at: UtcDatetime
    correlation_id: str

    @computed_field(json_schema_extra={"deprecated": True})  # type: ignore[prop-decorator]
    @property
    def status(self) -> OrderStatus:
        """Deprecated alias of ``execution_status``."""
        return self.execution_status

    @classmethod
    def of(cls, order: Order) -> OrderOut:
        """The wire form of an order."""
        own = order.model_dump(include=set(cls.model_fields))
        flags = {name: bool(own[name]) for name in ("triggered", "reduce_only")}
        return cls(
            **{**own, **flags},
            trigger_price=order.stop_trigger,
            remaining_quantity=order.remaining,
            average_price=order.average_price,
        )


class FillOut(Wire):
    """One execution of an order, with its price, quantity and fee."""

    id: str
    order_id: str
    portfolio_id: str
    symbol: str
    side: Side
    quantity: OutAmount
    price: OutAmount
    notional: OutAmount
    fee: OutAmount
    currency: str
    liquidity: Liquidity | None
    time: UtcDatetime
    correlation_id: str

    @classmethod
    def of(cls, fill: Fill) -> FillOut:
        """The wire form of a fill."""
        return cls(**fill.model_dump(), notional=fill.notional)


class OrderDetail(OrderOut):
    """An order with its fills."""

    fills: list[FillOut] = Field(default_factory=list)


class RejectedOrder(Problem):
    """The problem body of an order that risk rejected: the order, and every rule's result."""

    order: OrderOut
    risk: list[RuleResultOut]

    @classmethod
    def of(cls, order: Order, decision: Decision | None, path: str) -> RejectedOrder:
        """Describe the rejection; ``decision`` is None for one that was judged earlier."""
        failures = decision.failures if decision else []
        sentences = "; ".join(failure.message for failure in failures)
        return cls(
            type="urn:trading:problem:order-rejected",
            title="The order was rejected by a risk rule",
            status=422,
            detail=f"rejected: {order.reason}" + (f" ({sentences})" if sentences else ""),
            errors=[
                FieldError(field=RULE_FIELDS.get(f.rule, "quantity"), message=f.message)
                for f in failures
            ],
            instance=path,
            correlation_id=order.correlation_id,
            order=OrderOut.of(order),
            risk=[RuleResultOut.of(result) for result in decision.results] if decision else [],
        )


RULE_FIELDS = {"stale_price": "symbol", "trading_state": "portfolio_id"}
"""The request field that a rule's failure is about, where that is not the quantity."""


class ReconcileIn(Wire):
    """Which portfolio to check; every portfolio that the key may see when left out."""

    portfolio_id: PortfolioId | None = None


class Difference(Wire):
    """Something that the ledger and the stored books disagree on."""

    portfolio_id: str
    what: str
    stored: str
    derived: str


class ReconcileOut(Wire):
    """What was checked and what did not agree; nothing is changed by checking."""

    portfolios: int
    orders: int
    transactions: int
    differences: list[Difference]
