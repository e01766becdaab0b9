"""Losses of the day and from the peak, measured on equity whatever the owner puts in."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.builders import NOW, d, order
from tests.domain.risk_states import EUR_RATE, marks, portfolio, result
from trading.domain.order import Side
from trading.domain.risk.equity_marks import EquityMarks, observed

TODAY = NOW.date()
TOMORROW = TODAY + timedelta(days=1)
amount = st.integers(-(10**6), 10**6).map(lambda n: Decimal(n) / 100)


@pytest.mark.parametrize(
    ("caps", "limit", "passed"),
    [
        ({"max_daily_loss": d(100)}, 100, True),
        ({"max_daily_loss": d("99.99")}, "99.99", False),
        ({"max_daily_loss_percent": d("0.8")}, 80, False),
        ({"max_daily_loss_percent": d(1)}, 100, True),
        ({"max_daily_loss": d(500), "max_daily_loss_percent": d("0.5")}, 50, False),
        ({"max_daily_loss": d(50), "max_daily_loss_percent": d(50)}, 50, False),
    ],
)
def test_the_smaller_limit_on_the_days_loss_holds(
    caps: dict[str, Decimal], limit: int | str, passed: bool
) -> None:
    held = portfolio(cash=9_900)
    found = result("daily_loss", order(1), held, marks=marks(10_000, 10_000), **caps)
    assert (found.value, found.limit, found.passed) == (100, d(limit), passed)


@pytest.mark.parametrize(("cap", "passed"), [("10", True), ("9.99", False)])
def test_the_drawdown_is_from_the_peak(cap: str, passed: bool) -> None:
    held = portfolio(cash=9_000)
    found = result(
        "drawdown", order(1), held, marks=marks(10_000, 9_000), max_drawdown_percent=d(cap)
    )
    assert (found.value, found.passed) == (10, passed)


@pytest.mark.parametrize(
    ("rule", "caps"),
    [
        ("daily_loss", {"max_daily_loss": d(1)}),
        ("daily_loss", {"max_daily_loss_percent": d(1)}),
        ("drawdown", {"max_drawdown_percent": d(1)}),
    ],
)
def test_without_marks_new_risk_is_refused_and_says_what_to_do(
    rule: str, caps: dict[str, Decimal]
) -> None:
    found = result(rule, order(1), portfolio(), marks=None, **caps)
    assert not found.passed
    assert "the equity of 'p' was never recorded: set its limits again" in found.message
    assert result(rule, order(1, Side.SELL), portfolio(5), marks=None, **caps).passed


def test_a_new_day_begins_with_its_first_equity() -> None:
    yesterday = EquityMarks(peak=d(10_000), day=TODAY - timedelta(days=1), day_open=d(10_000))
    found = result(
        "daily_loss", order(1), portfolio(cash=9_000), marks=yesterday, max_daily_loss=d(10)
    )
    assert (found.value, found.passed) == (0, True)


@given(st.lists(st.tuples(amount, st.integers(0, 3)), min_size=1, max_size=20))
def test_the_peak_is_the_highest_equity_and_the_day_opens_once(
    seen: list[tuple[Decimal, int]],
) -> None:
    first, skip = seen[0]
    found = EquityMarks(peak=first, day=TODAY + timedelta(days=skip), day_open=first)
    day, opened = found.day, first
    for equity, days in seen[1:]:
        if TODAY + timedelta(days=days) > day:
            day, opened = TODAY + timedelta(days=days), equity
        after = found.seen(equity, TODAY + timedelta(days=days))
        assert (after is found) is (after == found)
        assert after.version - found.version == (after is not found)
        found = after
        assert (found.day, found.day_open) == (day, opened)
    assert found.peak == max(equity for equity, _ in seen)


@given(flow=st.integers(-5_000, 10**6), lost=st.integers(0, 4_000))
def test_money_put_in_or_taken_out_is_neither_gain_nor_loss(flow: int, lost: int) -> None:
    capital = {"USD": d(10_000)}
    was = marks(10_000, 10_000, capital=capital)
    before = portfolio(cash=10_000 - lost, capital=capital)
    moved = portfolio(cash=10_000 - lost + flow, capital={"USD": d(10_000 + flow)})
    after = observed(was, moved, TODAY)
    assert after.daily_loss(moved.equity) == was.daily_loss(before.equity) == lost
    drop = after.drawdown_percent(moved.equity) - was.drawdown_percent(before.equity)
    assert abs(drop) < Decimal("1e-12")


def test_money_put_in_abroad_counts_at_its_rate() -> None:
    was = marks(10_000, 10_000, capital={"USD": d(10_000)})
    rich = portfolio(capital={"USD": d(10_000), "EUR": d(100)})
    funded = rich.model_copy(
        update={
            "account": rich.account.model_copy(update={"cash": {"USD": d(10_000), "EUR": d(100)}})
        }
    )
    after = observed(was, funded, TODAY)
    assert (after.peak, after.day_open) == (10_000 + 100 * EUR_RATE, 10_000 + 100 * EUR_RATE)


def test_all_taken_out_leaves_nothing_to_have_lost() -> None:
    was = marks(10_000, 10_000, capital={"USD": d(10_000)})
    after = observed(was, portfolio(cash=0, capital={"USD": d(0)}), TODAY)
    assert (after.peak, after.drawdown_percent(d(0)), after.daily_loss(d(0))) == (0, 0, 0)


def test_the_first_look_is_the_peak_and_the_opening() -> None:
    found = observed(None, portfolio(10, cash=500), TOMORROW)
    assert (found.peak, found.day_open, found.day) == (1500, 1500, TOMORROW)
    assert observed(found, portfolio(10, cash=500), TOMORROW) is found
