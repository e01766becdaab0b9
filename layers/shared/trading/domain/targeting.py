"""From a score to the order that follows from it: its side, its size, and where it is left."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from trading.domain.aggregation import Opinion
from trading.domain.candle import Price
from trading.domain.fill_model import BASIS_POINTS, FillTiming
from trading.domain.instrument import Instrument
from trading.domain.money import ONE, ZERO, average, ceil_to_step, floor_to_step
from trading.domain.order import OrderType, Side
from trading.domain.portfolio import Account, AllocationPolicy, Direction, Portfolio, Sizing
from trading.domain.position import Position
from trading.domain.trade_costs import affordable_quantity, purchase_cost

_HUNDRED = Decimal(100)


@dataclass(frozen=True)
class Exits:
    """A bracket's prices around an entry; None for an exit that there is not."""

    stop_price: Decimal | None = None
    trail_percent: Decimal | None = None
    take_profit: Decimal | None = None


NO_EXITS = Exits()


@dataclass(frozen=True)
class Target:
    """The order that moves a holding to where a score wants it.

    ``notional`` sizes a market order when it trades (see ``Order.notional``); ``price`` is that of
    a limit or stop entry. ``closes`` tells that a holding is left, ``opens`` that one is entered;
    an order that turns a holding around does both.
    """

    side: Side
    quantity: Decimal
    type: OrderType = OrderType.MARKET
    price: Decimal | None = None
    notional: Decimal | None = None
    opens: bool = False
    closes: bool = False
    exits: Exits = NO_EXITS


def target_order(
    opinion: Opinion,
    portfolio: Portfolio,
    instrument: Instrument,
    mark: Price,
    budget: Decimal,
    promised_to_exits: Decimal = ZERO,
) -> Target | None:
    """The order that moves a holding to where the score wants it; None if it is there.

    From flat, a score of at least ``entry_score`` buys and one of at most ``-entry_score`` sells
    short, as far as the policy's ``direction`` goes, by the policy's sizing. A long is left at a
    score of at most ``exit_score``, a short at one of at least ``-exit_score``; where the direction
    is both and the score enters the other way, one order turns the holding around. ``budget`` is
    cash not spoken for; ``promised_to_exits`` are the units of the holding that its bracket's
    exits hold and that a closing order takes over. Quantities are whole lots, rounded down.
    """
    score, policy = opinion.score, portfolio.account.policy
    held = portfolio.position(instrument.symbol, instrument.quote_currency)
    way = entry_side(score, policy, margin=portfolio.account.margin)
    sized = _Sized(opinion, portfolio, instrument, mark, budget)
    if held.quantity == ZERO:
        resting = held.reserved_notional or held.reserved_quantity
        return sized.entry(way) if way is not None and not resting else None
    side = Side.SELL if held.quantity > ZERO else Side.BUY
    if not leaves(score, held.quantity, policy):
        return None
    free = _free(held, promised_to_exits)
    quantity = instrument.round_quantity(free)
    if quantity <= ZERO:
        return None
    if way is side and quantity == abs(held.quantity):
        return sized.turn(way, quantity) or Target(side, quantity, closes=True)
    return Target(side, quantity, closes=True)


def entry_side(score: Decimal, policy: AllocationPolicy, *, margin: bool) -> Side | None:
    """The side on which a score enters from flat; None if it does not."""
    if score >= policy.entry_score and policy.direction is not Direction.SHORT:
        return Side.BUY
    if score <= -policy.entry_score and policy.direction is not Direction.LONG and margin:
        return Side.SELL
    return None


def leaves(score: Decimal, quantity: Decimal, policy: AllocationPolicy) -> bool:
    """Whether a score leaves a holding of ``quantity`` (signed)."""
    return score <= policy.exit_score if quantity > ZERO else score >= -policy.exit_score


def _free(held: Position, promised_to_exits: Decimal) -> Decimal:
    """Units of a holding that no resting order has been promised, but for the bracket's exits."""
    if held.quantity < ZERO:
        return abs(held.quantity)
    return held.quantity - held.reserved_quantity + promised_to_exits


@dataclass(frozen=True)
class _Sized:
    """How large an entry is, and what it looks like."""

    opinion: Opinion
    portfolio: Portfolio
    instrument: Instrument
    mark: Price
    budget: Decimal

    def entry(self, side: Side) -> Target | None:
        """An entry from flat; None where it comes to less than a lot."""
        account, policy = self._account, self._account.policy
        worth = self._worth()
        if side is Side.BUY:
            worth = None if worth is None else min(worth, self.budget)
        quantity = self._quantity(side, worth, self.budget)
        if quantity <= ZERO:
            return None
        kind, price = entry_terms(side, policy, self.mark.price, self.instrument)
        at_next_bar = account.fill_model.timing is FillTiming.NEXT_BAR
        by_worth = kind is OrderType.MARKET and at_next_bar and worth is not None
        return Target(
            side,
            quantity,
            type=kind,
            price=price,
            notional=worth if by_worth else None,
            opens=True,
            exits=self._exits(side, price or self.mark.price),
        )

    def turn(self, side: Side, held: Decimal) -> Target | None:
        """The order that leaves ``held`` units and enters the other way at the mark."""
        budget = self.budget
        if side is Side.BUY:
            budget -= purchase_cost(held, self.mark, self.instrument, self._account)
        worth = self._worth()
        if side is Side.BUY and worth is not None:
            worth = min(worth, budget)
        new = self._quantity(side, worth, budget)
        if new <= ZERO:
            return None
        exits = self._exits(side, self.mark.price)
        return Target(side, held + new, opens=True, closes=True, exits=exits)

    @property
    def _account(self) -> Account:
        return self.portfolio.account

    def _worth(self) -> Decimal | None:
        """What the entry is to be worth in quote currency; None where units are asked for."""
        policy = self._account.policy
        equity = max(self.portfolio.equity, ZERO)
        scale = abs(self.opinion.score) * self.opinion.size
        match policy.sizing:
            case Sizing.FIXED_QUANTITY:
                return None
            case Sizing.FIXED_NOTIONAL:
                return (policy.notional or ZERO) * self.opinion.size
            case Sizing.RISK:
                return self._by_risk(equity, policy) * self.opinion.size
            case _:
                return equity * policy.target_fraction * scale

    def _by_risk(self, equity: Decimal, policy: AllocationPolicy) -> Decimal:
        """Equity * risk_fraction / stop distance: being stopped out costs the risked fraction.

        At most the target fraction of equity, which also is the size without a stop.
        """
        most = equity * policy.target_fraction
        distance = self._stop_distance()
        if not distance or policy.risk_fraction is None:
            return most
        return min(most, average(equity * policy.risk_fraction, distance))

    def _stop_distance(self) -> Decimal | None:
        """How far from the entry its stop stands, as a fraction of the price."""
        policy = self._account.policy
        if self.opinion.stop_distance is not None:
            return self.opinion.stop_distance
        percent = policy.stop_loss_percent or policy.trail_percent
        return None if percent is None else percent / _HUNDRED

    def _quantity(self, side: Side, worth: Decimal | None, budget: Decimal) -> Decimal:
        """Whole lots of an entry, costs included where the worth or the cash limits them."""
        account, instrument, mark = self._account, self.instrument, self.mark
        if worth is None:
            wanted = (account.policy.quantity or ZERO) * self.opinion.size
            if side is Side.BUY and not account.margin:
                return affordable_quantity(wanted, budget, mark, instrument, account)
            return max(instrument.round_quantity(wanted), ZERO)
        wanted = worth / mark.price
        if account.fill_model.timing is FillTiming.NEXT_BAR:
            return affordable_quantity(wanted, worth, mark, instrument, account, side)
        if side is Side.SELL:
            return max(instrument.round_quantity(wanted), ZERO)
        return affordable_quantity(wanted, budget, mark, instrument, account)

    def _exits(self, side: Side, price: Decimal) -> Exits:
        """Where the entry is left: the signals' distances, else the policy's.

        A stop at a price goes before a trailing one. Prices are rounded to the tick further away.
        """
        policy, opinion = self._account.policy, self.opinion
        target = opinion.target_distance or _fraction(policy.take_profit_percent)
        stop = opinion.stop_distance or _fraction(policy.stop_loss_percent)
        sign = 1 if side is Side.BUY else -1
        return Exits(
            stop_price=_away(price, -sign, stop, self.instrument),
            trail_percent=policy.trail_percent if stop is None else None,
            take_profit=_away(price, sign, target, self.instrument),
        )


def entry_terms(
    side: Side, policy: AllocationPolicy, mark: Decimal, instrument: Instrument
) -> tuple[OrderType, Decimal | None]:
    """Type and price of an entry: a limit ``entry_offset_bps`` better than the mark, a stop worse.

    A limit is rounded to the tick that is better for its owner, a stop to the worse one.
    """
    if policy.entry is OrderType.MARKET:
        return OrderType.MARKET, None
    buys = side is Side.BUY
    above = buys is (policy.entry is OrderType.STOP)
    offset = policy.entry_offset_bps / BASIS_POINTS
    moved = mark * (ONE + offset if above else ONE - offset)
    rounded = ceil_to_step if above else floor_to_step
    return policy.entry, max(rounded(moved, instrument.tick_size), instrument.tick_size)


def _fraction(percent: Decimal | None) -> Decimal | None:
    return None if percent is None else percent / _HUNDRED


def _away(
    price: Decimal, sign: int, distance: Decimal | None, instrument: Instrument
) -> Decimal | None:
    """The tick at or beyond a distance from a price; None for a distance that leads nowhere."""
    if not distance or (sign < 0 and distance >= ONE):
        return None
    moved = price * (ONE + sign * distance)
    if sign > 0:
        return ceil_to_step(moved, instrument.tick_size)
    return floor_to_step(moved, instrument.tick_size) or None
