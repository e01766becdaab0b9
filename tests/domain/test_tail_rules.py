"""Value at risk and shortfall before the trade: the figure with the order added."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.builders import NOW, d, limits, order
from tests.domain.float_tail import tail_risk
from tests.domain.risk_states import FEW, RETURNS, context, portfolio, result, series, tail
from trading.domain.order import Side
from trading.domain.risk.rule import OrderContext
from trading.domain.risk.tail import TailFigures, TailState, VarMethod, tail_with_order
from trading.domain.risk.tail_figures import tail_figures

PROFITS = st.lists(
    st.integers(-(10**8), 10**8).map(lambda n: Decimal(n).scaleb(-4)), min_size=30, max_size=120
)
CONFIDENCE = st.integers(501, 999).map(lambda n: Decimal(n).scaleb(-3))


@pytest.mark.parametrize("method", VarMethod)
@settings(deadline=None)
@given(profits=PROFITS, confidence=CONFIDENCE, horizon=st.integers(1, 30))
def test_the_exact_figures_agree_with_those_in_floats(
    method: VarMethod, profits: list[Decimal], confidence: Decimal, horizon: int
) -> None:
    exact = tail_figures(profits, confidence, horizon, method)
    floats = tail_risk([float(p) for p in profits], float(confidence), horizon, method)
    for ours, theirs in zip(exact, (floats.value_at_risk, floats.expected_shortfall), strict=True):
        assert abs(ours - theirs) <= Decimal("1e-8") + abs(theirs) * Decimal("1e-9")


@pytest.mark.parametrize("method", VarMethod)
def test_the_shortfall_is_never_less_than_value_at_risk(method: VarMethod) -> None:
    found = tail_figures([r * 1000 for r in RETURNS], d("0.95"), 1, method)
    assert found.expected_shortfall >= found.value_at_risk > 0


def test_the_historical_figures_of_a_hundred_steps_are_read_off() -> None:
    profits = [Decimal(n) for n in range(-50, 51)]
    found = tail_figures(profits, d("0.95"), 4, VarMethod.HISTORICAL)
    # The 5 % quantile of 101 steps is the sixth smallest; four bars scale by two.
    assert found == TailFigures(d(90), d(95))


def test_too_few_profits_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 30 observations, has 29"):
        tail_figures([d(1)] * 29, d("0.95"), 1, VarMethod.HISTORICAL)


def figures(found: OrderContext) -> TailFigures:
    """The tail with an order added."""
    return found.tail_risk


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("method", VarMethod)
def test_the_figure_with_an_order_is_the_one_that_is_measured_after_it(
    method: VarMethod, side: Side
) -> None:
    before, sign = portfolio(10, 20), 1 if side is Side.BUY else -1
    after = portfolio(10 + 4 * sign, 20)
    caps = {"var_method": method, "max_var_percent": 1}
    found = figures(context(order(4, side), before, caps))
    pnl = tail(after).pnl
    assert found == tail_figures(pnl, d("0.95"), 1, method)
    assert found.value_at_risk > 0


def test_holdings_that_changed_since_the_state_was_computed_count_as_they_are() -> None:
    old, now = tail(portfolio(3, 50)), portfolio(10, 20)
    stale = figures(context(order(1), now, {"max_var_percent": 1}, tail=old))
    fresh = figures(context(order(1), now, {"max_var_percent": 1}))
    for a, b in zip(stale, fresh, strict=True):
        assert abs(a - b) < Decimal("1e-12")


def test_an_order_that_hedges_lowers_the_figure() -> None:
    held = portfolio(10, 0, margin=True)
    alone = tail_with_order(tail(held), held, "ACME", d(0), NOW, limits())
    hedged = tail_with_order(tail(held), held, "BOLT", d(-500), NOW, limits())
    assert hedged.value_at_risk == alone.value_at_risk / 2


def test_a_first_purchase_needs_only_its_own_returns() -> None:
    empty = portfolio()
    state = tail(empty).model_copy(update={"pnl": (), "times": ()})
    found = figures(context(order(2), empty, {"max_var_percent": 1}, tail=state))
    expected = tail_figures([200 * r for r in RETURNS], d("0.95"), 1, VarMethod.HISTORICAL)
    assert found == expected


@pytest.mark.parametrize("rule", ["var", "cvar"])
def test_the_limit_is_in_percent_of_equity(rule: str) -> None:
    held = portfolio(10, 20)
    found = figures(context(order(4), held, {"max_var_percent": 1}))
    amount = found.value_at_risk if rule == "var" else found.expected_shortfall
    value = result(rule, order(4), held, **{f"max_{rule}_percent": 99}).value
    assert value is not None
    assert 0 <= value - amount * 100 / held.equity < Decimal("1e-8")


def state_without(held_symbol: str) -> TailState:
    """A state whose series lack a symbol."""
    whole = tail(portfolio(10, 20))
    return whole.with_returns([s for s in whole.returns.values() if s.symbol != held_symbol])


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (None, "the tail state of 'p' was never computed"),
        (tail(portfolio(10, 20), timedelta(days=3, seconds=1)), "is older than 3 days"),
        (state_without("ACME"), "ACME has no stored 1d returns"),
        (
            tail(portfolio(10, 20)).with_returns([series("ACME", RETURNS[:29])]),
            "share 29 1d returns of 30 needed",
        ),
        (
            tail(portfolio(10, 20)).with_returns(
                [series("ACME").model_copy(update={"timeframe": "1h"})]
            ),
            "ACME has no stored 1d returns",
        ),
    ],
)
def test_what_is_not_known_fails_closed_and_says_what_to_do(
    state: TailState | None, said: str
) -> None:
    held = portfolio(10, 20)
    for rule in ("var", "cvar"):
        found = result(rule, order(1), held, tail=state, **{f"max_{rule}_percent": 99})
        assert not found.passed
        assert said in found.message
        assert "POST /risk/p/var/refresh" in found.message
        less = result(rule, order(1, Side.SELL), held, tail=state, **{f"max_{rule}_percent": 99})
        assert less.passed
        assert "only reduces risk" in less.message or state is not None


def test_a_state_at_its_greatest_age_still_counts() -> None:
    held = portfolio(10, 20)
    old = tail(held, timedelta(days=3))
    assert result("var", order(1), held, tail=old, max_var_percent=99).passed


def test_only_bars_that_all_share_count() -> None:
    held = portfolio(10, 20)
    shorter = tail(held).with_returns([series("ACME", RETURNS[:100])])
    profits = shorter.profits({"ACME": d(100)})
    assert (len(profits), len(shorter.times)) == (100, FEW)
    assert profits == [p + 100 * r for p, r in zip(shorter.pnl, RETURNS[:100], strict=False)]


@pytest.mark.parametrize(("most", "passed"), [(30, True), ("29.99", False)])
def test_an_instrument_may_be_as_volatile_as_the_limit(most: int, passed: bool) -> None:
    assert result("volatility", order(1), portfolio(), max_volatility_percent=most).passed is passed


def test_an_unknown_volatility_fails_closed() -> None:
    found = result("volatility", order(1), portfolio(), volatility=None, max_volatility_percent=99)
    assert not found.passed
    assert "POST /risk/p/var/refresh" in found.message
