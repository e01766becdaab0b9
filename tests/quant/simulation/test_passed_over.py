"""Bars that are passed over make no difference."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.quant.simulation.markets import config, market, says, walk
from trading.backtesting import run_backtest
from trading.domain.backtest import Gear

SCORES = st.sampled_from([None, -1.0, -0.4, 0.0, 0.4, 1.0])


@settings(deadline=None, max_examples=25)
@given(
    st.lists(SCORES, min_size=60, max_size=60),
    st.lists(SCORES, min_size=60, max_size=60),
    st.sampled_from(["long", "short", "both"]),
    st.sampled_from([None, Decimal(1), Decimal(4)]),
    st.integers(0, 100),
)
def test_looking_at_every_bar_gives_the_same_fills(
    first: list[float | None],
    second: list[float | None],
    direction: str,
    stop: Decimal | None,
    seed: int,
) -> None:
    policy = {"direction": direction, "stop_loss_percent": stop, "target_fraction": Decimal("0.6")}
    both = config("A", "B", margin=True, gear=Gear.REFERENCE, policy=policy)
    data = market(walk("A", 60, seed), walk("B", 60, seed + 1))
    said = {"A": says(first), "B": says(second)}
    some = run_backtest(both, data, says=said)
    every = run_backtest(both, data, says=said, every_bar=True)
    assert some.fills.same_as(every.fills) is None
    assert some.final_cash == every.final_cash
