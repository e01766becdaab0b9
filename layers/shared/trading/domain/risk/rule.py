"""What a risk rule is given, and what all rules have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_UP, Decimal
from functools import cached_property
from typing import ClassVar, Protocol

from trading.domain.candle import Price
from trading.domain.instrument import Instrument
from trading.domain.money import MAX_SCALE, ZERO, plain, with_commission
from trading.domain.order import Order, OrderType, Side
from trading.domain.portfolio import Portfolio
from trading.domain.position import Position
from trading.domain.risk.equity_marks import EquityMarks, observed
from trading.domain.risk.figures import Exposure, exposure_but, unit_value
from trading.domain.risk.limits import RiskLimits
from trading.domain.risk.result import RuleResult
from trading.domain.risk.tail import TailFigures, TailState, TailUnknown, tail_with_order

__all__ = ["Cap", "OrderContext", "RiskRule", "RuleResult", "Unmeasured"]

_STEP = Decimal(1).scaleb(-MAX_SCALE)


class Unmeasured(Exception):
    """A limit is set, but what it is measured on is not known; says what to do about it.

    The engine then rejects the order, unless it only reduces risk.
    """


@dataclass(eq=False)
class OrderContext:
    """All that a rule may look at: the order, the books with prices, the limits, the time.

    ``trades_today`` counts the orders accepted on the day of ``now``. ``volatility`` is the
    instrument's, annualised, as a fraction. ``already_accepted`` tells that a resting order is
    judged again, so that it is not counted twice. What several rules measure is worked out once.
    """

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
    held: Position = field(init=False)
    buys: bool = field(init=False)
    price: Decimal | None = field(init=False)
    notional: Decimal = field(init=False)
    reducible: Decimal = field(init=False)
    reduces_risk: bool = field(init=False)

    def __post_init__(self) -> None:
        """Work out what nearly every rule looks at.

        ``held`` is the holding of the symbol. ``price`` is what the order is judged at (None:
        there is none), ``notional`` the order's value at it, both in the quote currency.
        ``reducible`` is how many units of the holding the order could take away, also when all
        that rests is filled before it; ``reduces_risk`` tells that it takes no more than that.
        """
        order = self.order
        self.buys = order.side is Side.BUY
        self.held = self.portfolio.position(order.symbol, order.currency)
        self.price = self._price()
        self.notional = ZERO if self.price is None else order.quantity * self.price
        held = self.held
        if self.buys:
            # What rests on this side is known by value only: any of it could cover first.
            free = ZERO if held.reserved_notional else -held.quantity
        else:
            free = held.quantity - held.reserved_quantity
        self.reducible = max(free, ZERO)
        self.reduces_risk = order.quantity <= free

    def _price(self) -> Decimal | None:
        """The limit price, else the trigger of a stop that still waits, else the mark."""
        order = self.order
        if order.limit_price is not None:
            return order.limit_price
        if order.stop_price is not None and not self.already_accepted:
            return order.stop_price
        return self.mark.price if self.mark else None

    @cached_property
    def rate(self) -> Decimal:
        """Units of the base currency per unit of the quote currency. Raises MissingRate."""
        return self.portfolio.rate(self.order.currency)

    @cached_property
    def base_notional(self) -> Decimal:
        """The order's value in the base currency. Raises MissingRate."""
        return self.notional * self.rate

    @cached_property
    def cost(self) -> Decimal:
        """What a buy order takes from cash, in the quote currency.

        Commission is included, and for a market order what spread and slippage add. What they add
        to a stop once it goes off is not known before; its fill is then cut to the cash.
        """
        order, account, price = self.order, self.portfolio.account, self.price
        rate = account.highest_commission
        if order.type is not OrderType.MARKET or price is None:
            return with_commission(self.notional, rate)
        volume = self.mark.volume if self.mark else None
        paid = account.fill_model.taker_price(
            price, order.side, order.quantity, volume, self.instrument.tick_size
        )
        return with_commission(order.quantity * paid, rate)

    @cached_property
    def value_after(self) -> Decimal:
        """Signed value of the holding once the order is filled, in the quote currency.

        A sale below the market is counted at the market, which is where it would trade.
        """
        price = self.price or ZERO
        mark = self.mark.price if self.mark else price
        held = self.held.quantity * mark if self.held.quantity else ZERO
        if self.buys:
            return held + self.notional
        return held - self.order.quantity * max(price, mark)

    @cached_property
    def own_exposure(self) -> Exposure:
        """Exposure to this symbol in the base currency with the order and all that rests."""
        found = Exposure()
        held, rate = self.held, self.rate
        sells = held.reserved_quantity
        if sells:
            sells *= self.mark.price if self.mark else unit_value(self.portfolio, held)
        found.add(self.value_after * rate, held.reserved_notional * rate, sells * rate)
        return found

    @cached_property
    def exposure(self) -> Exposure:
        """Exposure of the whole portfolio with the order. Raises MissingRate."""
        others, own = exposure_but(self.portfolio, self.order.symbol), self.own_exposure
        return Exposure(
            upper=others.upper + own.upper,
            lower=others.lower + own.lower,
            gross=others.gross + own.gross,
            short=others.short + own.short,
            squares=others.squares + own.squares,
        )

    @cached_property
    def equity(self) -> Decimal:
        """Equity before the order, in the base currency. Raises MissingRate."""
        return self.portfolio.equity

    @cached_property
    def marks_now(self) -> EquityMarks:
        """The marks that losses are measured from, with present equity seen. Raises Unmeasured."""
        if self.marks is None:
            pid = self.order.portfolio_id
            raise Unmeasured(
                f"the equity of '{pid}' was never recorded: set its limits again, or wait for the"
                " risk schedule"
            )
        return observed(self.marks, self.portfolio, self.now.date(), self.equity)

    @cached_property
    def tail_risk(self) -> TailFigures:
        """Value at risk and expected shortfall with the order added. Raises Unmeasured."""
        order = self.order
        value = (order.quantity if self.buys else -order.quantity) * (
            self.mark.price if self.mark else self.price or ZERO
        )
        try:
            return tail_with_order(
                self.tail, self.portfolio, order.symbol, value * self.rate, self.now, self.limits
            )
        except TailUnknown as error:
            raise Unmeasured(str(error)) from error

    def over_equity(self, value: Decimal) -> Decimal:
        """``value`` (base currency) over equity, rounded up to ``MAX_SCALE`` decimals.

        Raises Unmeasured where there is no equity that could bear it.
        """
        if not value:
            return ZERO
        equity = self.equity
        if equity <= ZERO:
            raise Unmeasured(f"equity is {plain(equity)}: only orders that reduce risk may trade")
        return (value / equity).quantize(_STEP, ROUND_UP)


class RiskRule(Protocol):
    """One rule in one small class with a unique ``name``, and the limits that it documents."""

    @property
    def name(self) -> str:
        """What the rule is called in verdicts, and as the reason of a rejection."""
        ...

    @property
    def limits(self) -> tuple[str, ...]:
        """The fields of RiskLimits that it holds orders to."""
        ...

    def check(self, context: OrderContext) -> RuleResult:
        """Judge the order; whatever the outcome, there is a result.

        Raises Unmeasured or MissingRate where a limit is set and cannot be measured.
        """
        ...


class Cap:
    """A rule that measures one value and lets it be up to one limit; none set always passes.

    ``what`` names the value in the sentences. Orders that only reduce risk are measured, but pass
    unless ``spares_reducing`` is false.
    """

    name: ClassVar[str]
    limits: ClassVar[tuple[str, ...]]
    what: ClassVar[str]
    spares_reducing: ClassVar[bool] = True

    def __init__(self) -> None:
        self._field = self.limits[0]
        self._facts = (self.what,)
        self._free = RuleResult(self.name, True, None, None, f"{self.what} is not limited")

    def measure(self, context: OrderContext) -> Decimal:
        """The value with the order added. May raise Unmeasured or MissingRate."""
        raise NotImplementedError

    def check(self, context: OrderContext) -> RuleResult:
        """Compare the value with the limit."""
        limit = getattr(context.limits, self._field)
        if limit is None:
            return self._free
        return self.compare(context, Decimal(limit) if limit.__class__ is int else limit)

    def compare(self, context: OrderContext, limit: Decimal) -> RuleResult:
        """The result under a limit that is in force."""
        value = self.measure(context)
        passed = value <= limit
        if passed:
            wording = "{2} {0} is within the limit of {1}"
        elif self.spares_reducing and context.reduces_risk:
            passed, wording = True, "{2} {0} is over {1}, but the order only reduces risk"
        else:
            wording = "{2} {0} is over the limit of {1}"
        return RuleResult(self.name, passed, value, limit, wording, self._facts)
