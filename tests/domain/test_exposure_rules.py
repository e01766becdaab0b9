"""Every cap holds up to its limit and not beyond, and its figure is what it says it is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.builders import d, order
from tests.domain.risk_states import BY_NAME, EUR_RATE, context, marks, portfolio, result, signed
from trading.domain.order import Order, OrderType, Side, TimeInForce
from trading.domain.portfolio import Portfolio
from trading.domain.risk.engine import judge
from trading.domain.risk.rule import Cap
from trading.domain.risk.rules import ALL_RULES

CAPS = [rule.name for rule in ALL_RULES if isinstance(rule, Cap)]
COUNTS = ("open_orders", "daily_trades")
ULP = Decimal("1e-16")

units = st.integers(-200, 200).map(lambda n: Decimal(n) / 2)
size = st.integers(1, 400).map(lambda n: Decimal(n) / 2)
worth = st.integers(0, 5000).map(Decimal)


@st.composite
def states(draw: st.DrawFn) -> Portfolio:
    """A margin portfolio with equity, long or short in two symbols, with resting orders."""
    resting = {"reserved_notional": draw(worth), "reserved_quantity": abs(draw(units))}
    other = {"reserved_notional": draw(worth), "reserved_quantity": abs(draw(units))}
    return portfolio(
        draw(units),
        draw(units),
        cash=50_000,
        margin=True,
        reserved={"USD": draw(worth)},
        acme_more=resting,
        bolt_more=other,
    )


def orders() -> st.SearchStrategy[Order]:
    """A market order of either side."""
    return st.builds(lambda q, s: order(q, s), size, st.sampled_from(Side))


def measured(rule: str, made: Order, held: Portfolio, **more: Any) -> Decimal:
    """What a rule measures, whatever its limit."""
    cap = BY_NAME[rule]
    assert isinstance(cap, Cap)
    return cap.measure(context(made, held, {cap.limits[0]: 100}, **more))


@pytest.mark.parametrize("rule", CAPS)
@given(made=orders(), held=states())
def test_a_cap_holds_at_its_limit_and_not_beyond(rule: str, made: Order, held: Portfolio) -> None:
    field, lost = BY_NAME[rule].limits[0], marks(held.equity * 2, held.equity * 3 / 2)
    value = measured(rule, made, held, marks=lost)
    step = 1 if rule in COUNTS else ULP
    at = result(
        rule, made, held, marks=lost, **{field: int(value) if rule in COUNTS else max(value, ULP)}
    )
    assert at.passed
    assert at.value == value
    if value > step:
        under = int(value) - 1 if rule in COUNTS else value - step
        found = result(rule, made, held, marks=lost, **{field: under})
        spared = rule != "daily_trades" and context(made, held, {}).reduces_risk
        assert found.passed is spared
        assert (found.value, found.limit) == (value, under)
        assert str(found.message)


def sides(held: Portfolio, made: Order) -> dict[str, tuple[Decimal, Decimal]]:
    """By symbol: base values once all resting buys are filled, and once all resting sells are."""
    found = {}
    for symbol, rate, price in (("ACME", d(1), d(100)), ("BOLT", EUR_RATE, d(40))):
        position = held.positions[symbol]
        after = position.quantity + (signed(made) if symbol == "ACME" else 0)
        upper = after * price + position.reserved_notional
        lower = (after - position.reserved_quantity) * price
        found[symbol] = (upper * rate, lower * rate)
    return found


@given(made=orders(), held=states())
def test_exposures_count_the_order_and_all_that_rests_at_its_worst(
    made: Order, held: Portfolio
) -> None:
    both = sides(held, made)
    worst = {symbol: max(up, -low) for symbol, (up, low) in both.items()}
    upper, lower = (sum(pair[i] for pair in both.values()) for i in (0, 1))
    equity = 50_000 + held.positions["ACME"].quantity * 100 + held.positions["BOLT"].quantity * 50
    assert held.equity == equity
    near = Decimal("1e-7")

    def is_over_equity(rule: str, value: Decimal, times: int = 1) -> bool:
        return 0 <= measured(rule, made, held) - value * times / equity < near

    assert measured("position_notional", made, held) == worst["ACME"]
    assert is_over_equity("symbol_exposure", worst["ACME"], 100)
    own = held.positions["ACME"].quantity + signed(made)
    assert is_over_equity("allocation", abs(own) * 100, 100)
    assert is_over_equity("gross_leverage", sum(worst.values(), d(0)))
    assert is_over_equity("net_leverage", max(Decimal(upper), -Decimal(lower)))
    short = sum((max(d(0), -low) for _, low in both.values()), d(0))
    assert measured("short_notional", made, held) == short
    shares = sum(((value / equity) ** 2 for value in worst.values()), d(0))
    assert abs(measured("concentration", made, held) - shares * 100) < near


@given(made=orders(), held=states(), cash=st.integers(-20_000, 20_000))
def test_borrowed_cash_is_what_the_order_and_the_promises_overdraw(
    made: Order, held: Portfolio, cash: int
) -> None:
    owner = held.account.model_copy(update={"cash": {"USD": Decimal(cash), "EUR": d(-100)}})
    held = held.model_copy(update={"account": owner})
    cost = made.quantity * 100 * Decimal("1.001") if made.side is Side.BUY else d(0)
    left = cash - owner.reserved.get("USD", d(0)) - cost
    expected = max(d(0), -left) + 100 * EUR_RATE
    assert measured("borrowed_cash", made, held) == expected


REDUCING = st.one_of(
    st.tuples(size, st.just(1), size).map(lambda t: (t[0], Side.SELL, min(t[0], t[2]))),
    st.tuples(size, st.just(1), size).map(lambda t: (-t[0], Side.BUY, min(t[0], t[2]))),
)


@given(case=REDUCING, known=st.booleans())
def test_an_order_that_only_reduces_is_held_by_no_cap_even_where_nothing_is_known(
    case: tuple[Decimal, Side, Decimal], known: bool
) -> None:
    quantity, side, less = case
    held = portfolio(quantity, -500, margin=True, rates=None if known else {})
    smallest: dict[str, Any] = {
        field: d("0.00000001")
        for rule in ALL_RULES
        for field in rule.limits
        if field.startswith("max_") and field not in ("max_open_orders", "max_daily_trades")
    }
    caps = smallest | {"max_open_orders": 0, "allowed_symbols": ("BOLT",), "cooldown_seconds": 99}
    verdict = judge(context(order(less, side), held, caps, marks=None, tail=None, volatility=None))
    assert verdict.passed, verdict.failures
    more = judge(context(order(201, Side.BUY), held, caps, marks=None, tail=None, volatility=None))
    assert {r.rule for r in more.failures} >= {
        "order_notional",
        "position_notional",
        "gross_leverage",
        "daily_loss",
        "drawdown",
        "var",
        "cvar",
        "volatility",
        "allowed_symbols",
    }


def test_what_would_turn_a_holding_around_does_not_only_reduce_it() -> None:
    for quantity, side in ((5, Side.SELL), (-5, Side.BUY)):
        held = portfolio(quantity, margin=True)
        assert result("order_quantity", order(5, side), held, max_order_quantity=1).passed
        assert not result("order_quantity", order("5.5", side), held, max_order_quantity=1).passed


def test_units_that_resting_sells_will_take_cannot_be_reduced_again() -> None:
    held = portfolio(10, acme_more={"reserved_quantity": d(4)})
    assert result("order_quantity", order(6, Side.SELL), held, max_order_quantity=1).passed
    assert not result("order_quantity", order("6.5", Side.SELL), held, max_order_quantity=1).passed


def test_a_short_with_resting_buys_is_no_longer_only_reduced() -> None:
    held = portfolio(-10, margin=True, acme_more={"reserved_notional": d(100)})
    assert not result("order_quantity", order(5), held, max_order_quantity=1).passed


@pytest.mark.parametrize(("margin", "passed"), [(False, False), (True, True)])
def test_only_margin_sells_what_is_not_held_and_buys_what_the_cash_does_not_pay(
    margin: bool, passed: bool
) -> None:
    held = portfolio(0, cash=100, margin=margin)
    assert result("holding_available", order(1, Side.SELL), held).passed is passed
    assert result("cash_available", order(1), held).passed is passed


def test_credit_and_shorts_have_limits_of_their_own() -> None:
    held = portfolio(-5, -4, cash=1000, margin=True)
    assert result("short_notional", order(3, Side.SELL), held, max_short_notional=1000).passed
    assert not result(
        "short_notional", order("3.5", Side.SELL), held, max_short_notional=1000
    ).passed
    assert result("borrowed_cash", order(20), held, max_borrowed_cash=1002).passed
    assert not result("borrowed_cash", order(20), held, max_borrowed_cash=1001).passed


def test_a_sale_below_the_market_counts_at_the_market() -> None:
    held = portfolio(0, margin=True)
    cheap = order(10, Side.SELL, limit_price=1)
    assert result("position_notional", cheap, held, max_position_notional=999).value == 1000


def test_without_equity_nothing_may_be_added() -> None:
    held = portfolio(0, -10, cash=0, margin=True)
    found = result("gross_leverage", order(1), held, max_gross_leverage=10**6)
    assert not found.passed
    assert "equity is -500" in found.message


def test_a_holding_abroad_counts_at_its_rate_and_without_one_fails_closed() -> None:
    assert result("gross_leverage", order(1), portfolio(0, 200), max_gross_leverage=9).value == d(
        "0.505"
    )
    unknown = portfolio(0, 200, rates={})
    found = result("gross_leverage", order(1), unknown, max_gross_leverage=9)
    assert not found.passed
    assert "no rate from EUR to USD" in found.message
    assert result("order_notional", order(1), unknown, max_order_notional=100).passed


@pytest.mark.parametrize(
    ("terms", "count"),
    [
        ({}, 7),
        ({"limit_price": 90}, 8),
        ({"limit_price": 90, "time_in_force": TimeInForce.IOC}, 7),
        ({"limit_price": 90, "time_in_force": TimeInForce.FOK}, 7),
        ({"type": OrderType.STOP, "stop_price": d(110)}, 8),
    ],
)
def test_open_orders_count_this_one_if_it_can_rest(terms: dict[str, Any], count: int) -> None:
    held = portfolio(open_orders=7)
    assert result("open_orders", order(1, **terms), held, max_open_orders=9).value == count


def test_an_order_judged_again_is_not_counted_again() -> None:
    held = portfolio(open_orders=7)
    stop = order(1, type=OrderType.STOP, stop_price=d(110))
    assert result("open_orders", stop, held, max_open_orders=7, already_accepted=True).passed
    assert result("daily_trades", stop, held, max_daily_trades=3, already_accepted=True).passed


def test_a_market_order_needs_the_cash_that_spread_and_slippage_take() -> None:
    model = {"spread_bps": 200, "slippage": "fixed", "slippage_bps": 100}
    held = portfolio(cash=1020, rate="0", fill_model=model)
    found = result("cash_available", order(10), held)
    assert (found.passed, found.value) == (False, d("1020.1"))
    assert result("cash_available", order(10, limit_price=100), held).value == 1000
