"""A holding of one instrument, long or short: quantity, cost, and what was realized from it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from trading.domain.money import MAX_SCALE, ZERO, average, floor_to_step
from trading.domain.value import Value

MAX_LOTS = 100
"""How many lots a position keeps; then the two neighbours of the nearest unit cost become one."""
_SMALLEST_UNIT = Decimal(1).scaleb(-MAX_SCALE)


class CostMethod(StrEnum):
    """Which units leave first: an equal part of all (average cost), or the oldest (FIFO)."""

    AVERAGE = "average"
    FIFO = "fifo"


class RecentOrder(Value):
    """An order that was accepted lately: what it asked for, and when."""

    fingerprint: str
    time: datetime


class Lot(Value):
    """Units that came together, and what they cost in all; both negative when sold short."""

    quantity: Decimal
    cost: Decimal

    @property
    def unit_cost(self) -> Decimal:
        """Cost per unit."""
        return average(self.cost, self.quantity)


class Position(Value):
    """What a portfolio holds of one symbol, in the quote currency; a short quantity is negative.

    ``cost_basis`` is what the present quantity cost without fees, signed as the quantity is: for
    a short it is what selling it brought, negative. ``realized_pnl`` excludes fees, which stand in
    ``fees``, and ``income``: dividends and funding received less those paid and borrow costs.

    Under FIFO ``lots`` make up quantity and cost, the oldest first. Beyond ``MAX_LOTS`` two
    neighbours become one at their joint cost, so that profit may be realized earlier or later than
    lot by lot, while realized and unrealized profit together stay exact.

    ``reserved_quantity`` is promised to resting sell orders, ``reserved_notional`` is what resting
    buy orders of the symbol would cost. ``sources`` are units by the strategy or source
    whose orders opened them, None a person's. ``recent_orders`` are those that a duplicate is
    compared with, ``exits`` the orders that a bracket's entry brought to leave it by,
    ``stopped_at`` is when a stop last closed it, and ``bar_used`` the volume traded
    in the bar that was complete at ``bar_time``.
    """

    symbol: str
    currency: str
    quantity: Decimal = ZERO
    cost_basis: Decimal = ZERO
    realized_pnl: Decimal = ZERO
    fees: Decimal = ZERO
    income: Decimal = ZERO
    cost_method: CostMethod = CostMethod.AVERAGE
    lots: tuple[Lot, ...] = ()
    reserved_quantity: Decimal = ZERO
    reserved_notional: Decimal = ZERO
    sources: dict[str, Decimal] | None = None
    recent_orders: tuple[RecentOrder, ...] | None = None
    stopped_at: datetime | None = None
    exits: tuple[str, ...] | None = None
    bar_time: datetime | None = None
    bar_used: Decimal | None = None

    @property
    def average_cost(self) -> Decimal:
        """Cost per unit of the present quantity; zero when flat."""
        return average(self.cost_basis, self.quantity)

    def market_value(self, price: Decimal) -> Decimal:
        """Value of the holding at ``price``; negative for a short."""
        return self.quantity * price

    def unrealized_pnl(self, price: Decimal) -> Decimal:
        """Gain of the present quantity over its cost at ``price``."""
        return self.market_value(price) - self.cost_basis

    def adds(self, units: Decimal) -> bool:
        """Whether ``units`` (positive bought, negative sold) open or enlarge the position."""
        return not self.quantity or (units > ZERO) == (self.quantity > ZERO)

    def traded(self, units: Decimal, cost: Decimal, fee: Decimal) -> Position:
        """Return the position after buying (positive) or selling (negative) ``units``.

        ``cost`` is what they cost before ``fee``, signed as the units are: a sale's proceeds are
        negative. What crosses zero closes the position first and opens the rest the other way, at
        the same price.
        """
        if not units or self.adds(units):
            return self._opened(units, cost, fee)
        if abs(units) <= abs(self.quantity):
            return self._closed(units, cost, fee)
        closing = average(cost * -self.quantity, units)
        flat = self._closed(-self.quantity, closing, fee)
        return flat._opened(units + self.quantity, cost - closing, ZERO)

    def cost_of(self, units: Decimal) -> Decimal:
        """What closing ``units`` (signed against the position) takes out of the cost basis.

        Signed as the position is. Raises ValueError for more than is held.
        """
        return self.cost_basis - self._without(units)[0]

    def _opened(self, units: Decimal, cost: Decimal, fee: Decimal) -> Position:
        """Enlarge the position."""
        lots = self.lots
        if self.cost_method is CostMethod.FIFO and units:
            lots = _bounded((*lots, Lot(quantity=units, cost=cost)))
        return self.model_copy(
            update={
                "quantity": self.quantity + units,
                "cost_basis": self.cost_basis + cost,
                "fees": self.fees + fee,
                "lots": lots,
            }
        )

    def _closed(self, units: Decimal, cost: Decimal, fee: Decimal) -> Position:
        """Make the position smaller by no more than there is of it, and realize the gain."""
        basis, lots = self._without(units)
        return self.model_copy(
            update={
                "quantity": self.quantity + units,
                "cost_basis": basis,
                "realized_pnl": self.realized_pnl - cost - (self.cost_basis - basis),
                "fees": self.fees + fee,
                "lots": lots,
            }
        )

    def _without(self, units: Decimal) -> tuple[Decimal, tuple[Lot, ...]]:
        """The cost basis and the lots that are left when ``units`` have gone."""
        left = self.quantity + units
        if self.adds(units) or (left and (left > ZERO) != (self.quantity > ZERO)):
            raise ValueError(f"{units} units cannot leave a position of {self.quantity}")
        if not left:
            return ZERO, ()
        if self.cost_method is CostMethod.AVERAGE:
            return self.cost_basis + average(self.cost_basis * units, self.quantity), ()
        lots = _after_oldest(self.lots, -units)
        return sum((lot.cost for lot in lots), ZERO), lots

    def split(self, quantity: Decimal) -> Position:
        """Return the position after a split that makes it ``quantity`` units of the same cost.

        Lots keep their shares, each in whole smallest units.
        """
        lots: list[Lot] = []
        units, carried, before, after = ZERO, ZERO, ZERO, ZERO
        for lot in self.lots:
            units += lot.quantity
            after = floor_to_step(units * quantity / self.quantity, _SMALLEST_UNIT)
            carried += lot.cost
            if after != before:
                lots.append(Lot(quantity=after - before, cost=carried))
                before, carried = after, ZERO
        if carried and lots:
            lots[-1] = lots[-1].model_copy(update={"cost": lots[-1].cost + carried})
        return self.model_copy(update={"quantity": quantity, "lots": tuple(lots)})


def _after_oldest(lots: tuple[Lot, ...], units: Decimal) -> tuple[Lot, ...]:
    """What is left of ``lots`` when ``units`` (signed as they are) leave, the oldest first."""
    for at, lot in enumerate(lots):
        if abs(units) < abs(lot.quantity):
            cost = lot.cost - average(lot.cost * units, lot.quantity)
            return (Lot(quantity=lot.quantity - units, cost=cost), *lots[at + 1 :])
        units -= lot.quantity
    return ()


def _bounded(lots: tuple[Lot, ...]) -> tuple[Lot, ...]:
    """Make two neighbouring lots one where there are too many: those of the nearest unit cost."""
    if len(lots) <= MAX_LOTS:
        return lots
    gaps = [abs(a.unit_cost - b.unit_cost) for a, b in pairwise(lots)]
    at = gaps.index(min(gaps))
    first, second = lots[at : at + 2]
    one = Lot(quantity=first.quantity + second.quantity, cost=first.cost + second.cost)
    return (*lots[:at], one, *lots[at + 2 :])
