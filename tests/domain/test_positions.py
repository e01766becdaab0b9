"""Positions, long and short: profit is exact, and FIFO and average cost are the textbook's."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain.position import MAX_LOTS, CostMethod, Position

FEE = Decimal("0.1")
UNITS = st.integers(-400, 400).filter(bool).map(lambda n: Decimal(n) / 4)
PRICES = st.integers(1, 20_000).map(lambda n: Decimal(n).scaleb(-2))
TRADES = st.lists(st.tuples(UNITS, PRICES), min_size=1, max_size=40)
METHODS = st.sampled_from(CostMethod)
Trades = list[tuple[Decimal, Decimal]]


def after(trades: Trades, method: CostMethod = CostMethod.AVERAGE) -> Position:
    held = Position(symbol="ACME", currency="USD", cost_method=method)
    for units, price in trades:
        held = held.traded(units, units * price, FEE)
    return held


def fifo_by_hand(trades: Trades) -> tuple[Decimal, list[list[Decimal]]]:
    """Realized profit and open lots [units, price], one smallest step at a time."""
    realized, lots = Decimal(0), list[list[Decimal]]()
    for units, price in trades:
        left = units
        while left and lots and (lots[0][0] > 0) != (left > 0):
            taken = min(abs(left), abs(lots[0][0])) * (1 if lots[0][0] > 0 else -1)
            realized += taken * (price - lots[0][1])
            lots[0][0] -= taken
            left += taken
            if not lots[0][0]:
                lots.pop(0)
        if left:
            lots.append([left, price])
    return realized, lots


def average_by_hand(trades: Trades) -> tuple[Fraction, Fraction, Fraction]:
    """Realized profit, quantity and mean price of what is open, as exact fractions."""
    realized, quantity, mean = Fraction(0), Fraction(0), Fraction(0)
    for units, price in ((Fraction(u), Fraction(p)) for u, p in trades):
        if quantity * units >= 0:
            mean = (mean * quantity + units * price) / (quantity + units)
        else:
            closed = min(abs(units), abs(quantity)) * (1 if quantity > 0 else -1)
            realized += closed * (price - mean)
            mean = price if abs(units) > abs(quantity) else mean
        quantity += units
    return realized, quantity, mean


@given(TRADES, METHODS, PRICES)
def test_realized_and_unrealized_profit_are_the_cash_flows_and_the_value(
    trades: Trades, method: CostMethod, mark: Decimal
) -> None:
    held = after(trades, method)
    paid = sum(units * price for units, price in trades)
    assert held.realized_pnl + held.unrealized_pnl(mark) == held.quantity * mark - paid
    assert held.quantity == sum(units for units, _ in trades)
    assert held.fees == FEE * len(trades)


@given(TRADES)
def test_fifo_is_what_a_lot_by_lot_count_says(trades: Trades) -> None:
    held = after(trades, CostMethod.FIFO)
    realized, lots = fifo_by_hand(trades)
    assert held.realized_pnl == realized
    assert [(lot.quantity, lot.unit_cost) for lot in held.lots] == [(u, p) for u, p in lots]


@given(TRADES)
def test_average_cost_is_what_a_count_in_fractions_says(trades: Trades) -> None:
    held = after(trades)
    realized, quantity, mean = average_by_hand(trades)
    tiny = Fraction(1, 10**12)
    assert abs(Fraction(held.realized_pnl) - realized) < tiny
    assert abs(Fraction(held.cost_basis) - quantity * mean) < tiny
    assert held.lots == ()


@given(TRADES, METHODS)
def test_cost_has_the_sign_of_the_quantity_and_lots_make_up_both(
    trades: Trades, method: CostMethod
) -> None:
    held = after(trades, method)
    assert held.cost_basis * held.quantity >= 0
    assert bool(held.cost_basis) == bool(held.quantity)
    if method is CostMethod.FIFO:
        assert sum(lot.quantity for lot in held.lots) == held.quantity
        assert sum(lot.cost for lot in held.lots) == held.cost_basis
        assert all(lot.quantity * held.quantity > 0 for lot in held.lots)


@pytest.mark.parametrize("method", CostMethod)
def test_a_short_gains_when_the_price_falls(method: CostMethod) -> None:
    short = after([(Decimal(-10), Decimal(100))], method)
    assert (short.quantity, short.cost_basis, short.average_cost) == (-10, -1000, 100)
    assert short.unrealized_pnl(Decimal(90)) == 100
    covered = short.traded(Decimal(4), Decimal(360), Decimal(0))
    assert (covered.quantity, covered.realized_pnl) == (-6, 40)


@pytest.mark.parametrize("method", CostMethod)
def test_what_crosses_zero_closes_and_then_opens_the_other_way(method: CostMethod) -> None:
    held = after([(Decimal(3), Decimal(100)), (Decimal(-5), Decimal(110))], method)
    assert (held.quantity, held.cost_basis, held.realized_pnl) == (-2, -220, 30)


def test_fifo_sells_the_oldest_and_average_the_mean() -> None:
    trades = [(Decimal(u), Decimal(p)) for u, p in ((1, 100), (1, 200), (-1, 300))]
    assert after(trades, CostMethod.FIFO).realized_pnl == 200
    assert after(trades, CostMethod.AVERAGE).realized_pnl == 150


def test_lots_stay_bounded_and_profit_exact() -> None:
    trades = [(Decimal(1), Decimal(100 + n * n)) for n in range(3 * MAX_LOTS)]
    held = after(trades, CostMethod.FIFO)
    assert len(held.lots) == MAX_LOTS
    assert held.cost_basis == sum(p for _, p in trades)
    sold = held.traded(-held.quantity, -held.quantity * 7, Decimal(0))
    assert (sold.lots, sold.cost_basis) == ((), 0)
    assert sold.realized_pnl == held.quantity * 7 - held.cost_basis


@given(TRADES, METHODS, st.integers(1, 20), st.integers(1, 20))
def test_a_split_changes_units_and_nothing_else(
    trades: Trades, method: CostMethod, to: int, of: int
) -> None:
    held = after(trades, method)
    if not held.quantity:
        return
    changed = (held.quantity * to / of).quantize(Decimal("1e-8"), "ROUND_DOWN")
    split = held.split(changed)
    assert (split.quantity, split.cost_basis) == (changed, held.cost_basis)
    assert (split.realized_pnl, split.fees) == (held.realized_pnl, held.fees)
    if method is CostMethod.FIFO:
        assert sum(lot.quantity for lot in split.lots) == changed
        assert sum(lot.cost for lot in split.lots) == held.cost_basis
        assert all(lot.quantity for lot in split.lots)


def test_more_than_is_held_has_no_cost_to_leave_at() -> None:
    held = after([(Decimal(3), Decimal(100))])
    assert held.cost_of(Decimal(-2)) == 200
    for units in (Decimal(-4), Decimal(1)):
        with pytest.raises(ValueError, match="cannot leave"):
            held.cost_of(units)
