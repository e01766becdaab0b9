"""The fast gear gives every fill of the reference gear, over random scores, prices and costs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.quant.simulation.markets import config, instrument, market, walk
from trading.backtesting import run_backtest
from trading.domain.backtest import Gear
from trading.domain.errors import InvalidInput
from trading.domain.fill_model import FillModel
from trading.quant.simulation import kernel
from trading.quant.simulation.compiled import library
from trading.quant.simulation.fills import Reason
from trading.quant.strategies.scored import NO_SCORE, Scored
from trading.quant.strategies.strategy import Candles

D = Decimal


def decimals(places: int, most: str) -> st.SearchStrategy[Decimal]:
    return st.integers(0, int(D(most).scaleb(places))).map(lambda n: D(n).scaleb(-places))


COSTS = st.builds(
    FillModel,
    timing=st.sampled_from(["next_bar", "immediate"]),
    maker_rate=st.none() | decimals(4, "0.01"),
    spread_bps=st.just(D(0)) | decimals(2, "50"),
    slippage=st.sampled_from(["none", "fixed"]),
    slippage_bps=decimals(4, "20"),
)
SIZING = st.one_of(
    st.builds(lambda f: {"target_fraction": f}, st.sampled_from([D(1), D("0.37"), D("0.1")])),
    st.builds(
        lambda q: {"sizing": "fixed_quantity", "quantity": q},
        decimals(2, "50").map(lambda q: q + 1),
    ),
    st.builds(
        lambda n: {"sizing": "fixed_notional", "notional": n},
        decimals(2, "9000").map(lambda n: n + 1),
    ),
)


EXIT_SCORES = st.sampled_from([D("-0.5"), D("-0.000001"), D(-1)])


@st.composite
def cases(draw: st.DrawFn) -> tuple[Candles, Scored, dict[str, Any]]:
    bars = draw(st.integers(1, 80))
    data = walk(bars=bars, seed=draw(st.integers(0, 10**6)))
    warm = draw(st.integers(0, min(bars, 5)))
    values = draw(
        st.lists(
            st.sampled_from([-1_000_000, -700_000, -500_000, -1, 0, 333_333, 500_000, 1_000_000]),
            min_size=bars,
            max_size=bars,
        )
    )
    scores = np.array(values, np.int64)
    scores[:warm] = NO_SCORE
    margin = draw(st.booleans())
    terms = {
        "margin": margin,
        "cash": draw(decimals(2, "20000")),
        "commission_rate": draw(decimals(5, "0.02")),
        "fill_model": draw(COSTS),
        "policy": {
            **draw(SIZING),
            "direction": draw(st.sampled_from(["long", "short", "both"])),
            "exit_score": draw(EXIT_SCORES),
            "valid_for_seconds": draw(st.sampled_from([1, 86_400])),
        },
        "instruments": {
            "A": instrument(
                "A",
                lot=draw(st.sampled_from(["1", "0.5", "0.00000001", "7"])),
                tick=draw(st.sampled_from(["0.01", "0.05", "0.00000001"])),
            )
        },
    }
    return data, Scored(scores), terms


@st.composite
def bracketed(draw: st.DrawFn) -> tuple[Candles, Scored, dict[str, Any]]:
    """A case whose longs have exits: by the policy, by hints on some bars, or both."""
    data, said, terms = draw(cases())
    distances = st.none() | decimals(3, "3").map(lambda percent: percent + D("0.001"))
    policy = terms["policy"] | {"direction": "long", "exit_score": draw(EXIT_SCORES)}
    for name in ("stop_loss_percent", "trail_percent", "take_profit_percent"):
        policy[name] = draw(distances)
    hints = {}
    for name in ("stop_distance", "target_distance"):
        if draw(st.booleans()):
            values = st.lists(
                st.just(NO_SCORE) | st.integers(1, 30_000), min_size=len(data), max_size=len(data)
            )
            hints[name] = np.array(draw(values), np.int64)
    return data, Scored(said.scores, **hints), terms | {"policy": policy}


@settings(deadline=None, max_examples=150)
@given(cases())
def test_every_fill_and_the_books_are_the_same(
    case: tuple[Candles, Scored, dict[str, Any]],
) -> None:
    same(*case)


@settings(deadline=None, max_examples=150)
@given(bracketed())
def test_every_exit_is_the_same(case: tuple[Candles, Scored, dict[str, Any]]) -> None:
    same(*case)


def test_the_cases_do_leave_by_every_kind_of_exit() -> None:
    reasons = set()
    for exits in ({"stop_loss_percent": D(1)}, {"trail_percent": D(1)}):
        given = config(policy={**exits, "take_profit_percent": D("0.8")})
        result = run_backtest(given, market(walk(bars=3000)))
        assert result.gear is Gear.FAST
        reasons |= {fill.reason for fill in result.fills.records()}
    assert reasons == {Reason.ENTRY, Reason.EXIT, Reason.STOP_LOSS, Reason.TAKE_PROFIT}


def same(data: Candles, said: Scored, terms: dict[str, Any]) -> None:
    """Both gears make the same of a case."""
    runs = {
        gear: run_backtest(config(gear=gear, **terms), market(data), says={"A": said})
        for gear in (Gear.REFERENCE, Gear.FAST)
    }
    slow, fast = runs[Gear.REFERENCE], runs[Gear.FAST]
    assert (slow.gear, fast.gear) == (Gear.REFERENCE, Gear.FAST)
    assert slow.fills.same_as(fast.fills) is None
    assert slow.final_cash == fast.final_cash
    assert slow.final_positions == fast.final_positions
    assert fast.equity == pytest.approx(slow.equity, rel=1e-9, abs=1e-6)
    assert fast.gross == pytest.approx(slow.gross, rel=1e-9, abs=1e-6)


def test_a_long_run_is_the_same() -> None:
    data = market(walk(bars=20_000))
    runs = [run_backtest(config(commission_rate=D("0.001"), gear=g), data) for g in Gear]
    assert len(runs[0].fills) > 300
    assert [runs[0].fills.same_as(run.fills) for run in runs[1:]] == [None, None]


def test_what_the_fast_gear_does_not_cover_runs_on_the_reference_and_says_why() -> None:
    bracket = config(policy={"stop_loss_percent": D(2), "direction": "short"}, margin=True)
    result = run_backtest(bracket, market(walk()))
    assert result.gear is Gear.REFERENCE
    assert result.why_reference == "exits around shorts"
    with pytest.raises(InvalidInput, match="exits around shorts"):
        run_backtest(bracket.model_copy(update={"gear": Gear.FAST}), market(walk()))


def test_amounts_that_are_too_large_run_on_the_reference() -> None:
    huge = config(cash=D(80_000_000_000), instruments={"A": instrument("A", lot="0.00000001")})
    odd = huge.model_copy(update={"commission_rate": D("0.00012345")})
    result = run_backtest(odd, market(walk()))
    assert result.why_reference in (None, "the amounts are too large for the fast gear")


def test_without_a_compiler_there_is_one_warning_and_the_same_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compiled = run_backtest(config(), market(walk()))
    monkeypatch.setattr("trading_kernel.LIBRARY", kernel_missing())
    kernel.library.cache_clear()
    library.cache_clear()
    with pytest.warns(RuntimeWarning, match="not installed") as warned:
        first, second = (run_backtest(config(), market(walk())) for _ in range(2))
    kernel.library.cache_clear()
    library.cache_clear()
    assert len(warned) == 1
    assert (first.gear, second.gear) == (Gear.REFERENCE, Gear.REFERENCE)
    assert first.why_reference == "the compiled gear is not installed"
    assert first.fills.same_as(compiled.fills) is None


def kernel_missing() -> Any:
    from pathlib import Path

    return Path("there-is-none.so")
