"""Wire models of the execution service."""

from __future__ import annotations

from pydantic import Field, computed_field, model_validator

from trading.domain.order import Fill, Order, OrderStatus, OrderType, Side
from trading.domain.risk.engine import Decision
from trading.schemas.base import (
    OutAmount,
    PortfolioId,
    PositiveAmount,
    Symbol,
    UtcDatetime,
    Wire,
)
from trading.schemas.problem import FieldError, Problem
from trading.schemas.risk import RuleResultOut


class OrderIn(Wire):
    """An order to place. ``quantity`` is in units of the instrument, a whole number of lots."""

    portfolio_id: PortfolioId
    symbol: Symbol
    side: Side
    type: OrderType = OrderType.MARKET
    quantity: PositiveAmount
    limit_price: PositiveAmount | None = Field(
        default=None, description="Worst price to trade at; needed for limit orders only."
    )

    @model_validator(mode="after")
    def _price_fits_type(self) -> OrderIn:
        if (self.type is OrderType.LIMIT) != (self.limit_price is not None):
            raise ValueError("limit_price is needed for a limit order, and only for one")
        return self


class OrderOut(Wire):
    """An order as it stands. ``status`` is the old name of ``execution_status``."""

    id: str
    portfolio_id: str
    symbol: str
    side: Side
    type: OrderType
    quantity: OutAmount
    limit_price: OutAmount | None
    execution_status: OrderStatus
    reason: str | None
    filled_quantity: OutAmount
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
        return cls(**own, average_price=order.average_price)


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
