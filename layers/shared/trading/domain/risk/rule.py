"""What a risk rule is given and what it answers."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Protocol

from pydantic import ConfigDict

from trading.domain.candle import Price
from trading.domain.instrument import Instrument
from trading.domain.money import ZERO, plain
from trading.domain.order import Order, Side
from trading.domain.portfolio import Portfolio
from trading.domain.risk.equity_marks import EquityMarks
from trading.domain.risk.limits import RiskLimits
from trading.domain.risk.tail import TailState
from trading.domain.value import Value


class RuleResult(Value):
    """One rule's verdict: the measured value, the limit (None: not limited), and a sentence."""

    rule: str
    passed: bool
    value: Decimal | None
    limit: Decimal | None
    message: str


class OrderContext(Value):
    """All that a rule may look at: the order, the books with prices, the limits, the time.

    ``price`` is what the order is judged at: its limit price if it has one, else the latest
    price (None when there is none). ``trades_today`` counts the orders accepted on the day of
    ``now``. ``volatility`` is the instrument's, annualised, as a fraction. ``already_accepted``
    tells that a resting order is judged again, so that it is not counted twice.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    order: Order
    instrument: Instrument
    portfolio: Portfolio
    limits: RiskLimits
    mark: Price | None
    trades_today: int
    now: datetime
    marks: EquityMarks | None = None
    tail: TailState | None = None
    volatility: Decimal | None = None
    already_accepted: bool = False

    @property
    def price(self) -> Decimal | None:
        """The price the order is judged at, in the quote currency."""
        if self.order.limit_price is not None:
            return self.order.limit_price
        return self.mark.price if self.mark else None

    @property
    def notional(self) -> Decimal:
        """Value of the whole order; zero while there is no price to judge by."""
        return self.order.quantity * (self.price or ZERO)

    @property
    def reduces_risk(self) -> bool:
        """Whether the order only makes an existing holding smaller."""
        held = self.portfolio.position(self.order.symbol, self.order.currency)
        free = held.quantity - held.reserved_quantity
        return self.order.side is Side.SELL and self.order.quantity <= free

    @property
    def notional_after(self) -> Decimal:
        """Absolute value of the holding of this symbol once the order is filled."""
        held = self.portfolio.position(self.order.symbol, self.order.currency)
        sign = 1 if self.order.side is Side.BUY else -1
        return abs((held.quantity + sign * self.order.quantity) * (self.price or ZERO))


class RiskRule(Protocol):
    """One rule in one small class with a unique ``name``."""

    name: str

    def check(self, context: OrderContext) -> RuleResult:
        """Judge the order; always returns a result, whatever the outcome."""
        ...


def at_most(rule: str, value: Decimal, limit: Decimal | None, what: str) -> RuleResult:
    """The common verdict: ``value`` may be up to ``limit``; no limit always passes."""
    if limit is None:
        return RuleResult(
            rule=rule, passed=True, value=value, limit=None, message=f"{what} is not limited"
        )
    passed = value <= limit
    relation = "is within" if passed else "is over"
    message = f"{what} {plain(value)} {relation} the limit of {plain(limit)}"
    return RuleResult(rule=rule, passed=passed, value=value, limit=limit, message=message)


def exempt(rule: str, value: Decimal, limit: Decimal | None, what: str) -> RuleResult:
    """The verdict on an order that only reduces risk: caps on size and exposure do not bind it."""
    return RuleResult(
        rule=rule,
        passed=True,
        value=value,
        limit=limit,
        message=f"{what} {plain(value)} is not capped: the order only reduces risk",
    )
