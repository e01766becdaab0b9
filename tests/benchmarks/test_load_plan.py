"""The plan of a load run: what it promises the audit."""

from decimal import Decimal

import pytest

from benchmarks.load_plan import PRICES, UNITS, Plan


def plan(**changed: float) -> Plan:
    sizes = {"recommendations": 500, "portfolios": 10, "duplicate": 0.02, "crash": 0.04, "seed": 7}
    return Plan(**{**sizes, **changed})  # type: ignore[arg-type]


def test_the_same_seed_plans_the_same() -> None:
    assert plan().planned == plan().planned
    assert plan(seed=8).planned != plan().planned


def test_as_many_repeats_and_deaths_are_planned_as_asked_for() -> None:
    planned = plan().planned
    assert len(planned) == 500
    assert sum(one.twice for one in planned) == 10
    assert sum(one.dies_at > 0 for one in planned) == 20


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_the_senders_send_everything_once_and_each_portfolio_in_order(parts: int) -> None:
    bunches = [list(plan().bunches(part, parts)) for part in range(parts)]
    sent = [one for sender in bunches for bunch, _ in sender for one in bunch]
    assert sorted(one.number for one in sent) == list(range(500))
    for portfolio_id, own in plan().of_portfolio.items():
        assert [one for one in sent if one.portfolio_id == portfolio_id] == own


def test_no_order_can_fail_for_want_of_units_or_cash() -> None:
    for portfolio_id in plan(recommendations=20_000, portfolios=1).portfolio_ids:
        own = plan(recommendations=20_000, portfolios=1).of_portfolio[portfolio_id]
        assert sum(one.quantity for one in own if not one.is_buy) < UNITS * len(PRICES)
        for symbol in PRICES:
            sold = [one.quantity for one in own if one.symbol == symbol and not one.is_buy]
            assert sum(sold) <= UNITS


def test_what_must_be_left_is_the_opening_and_every_trade_on_it() -> None:
    small = plan(recommendations=1, portfolios=1)
    (one,) = small.planned
    sign = 1 if one.is_buy else -1
    assert small.expected_units("load000") == dict.fromkeys(PRICES, UNITS) | {
        one.symbol: UNITS + sign * one.quantity
    }
    opening = Decimal(100_000_000) - UNITS * Decimal(180) * Decimal("1.001")
    notional = one.quantity * one.price
    assert small.expected_cash("load000") == opening - sign * notional - notional / 1000


def test_every_fifth_portfolio_has_room_for_three_quarters_of_its_orders() -> None:
    caps = {pid: plan().cap(pid) for pid in plan().portfolio_ids}
    assert {pid: cap for pid, cap in caps.items() if cap is not None} == {
        "load004": 4 + 37,
        "load009": 4 + 37,
    }
