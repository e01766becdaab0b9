"""The compiled figures of a curve and of fills are those that columns of numpy give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.quant.simulation.markets import market, walk
from trading.quant.simulation import round_trips as trips
from trading.quant.simulation.compiled import library
from trading.quant.simulation.fills import FillColumns
from trading.quant.statistics import drawdowns
from trading.quant.statistics.drawdowns import drawdown

LEVELS = st.lists(st.sampled_from([5.0, 7.5, 9.0, 10.0, 11.0, 12.5]), min_size=1, max_size=30)


def test_the_library_is_there() -> None:
    assert library() is not None


@given(LEVELS, st.sampled_from([5.0, 10.0, 12.5]))
def test_a_drawdown(equity: list[float], start: float) -> None:
    curve = np.array(equity)
    time = 3600.0 * (1 + np.arange(len(curve)))
    found = drawdown(curve, time, start, 0.0)
    assert found == drawdowns._by_columns(curve, time, start, 0.0)


@given(
    st.lists(
        st.tuples(st.integers(-6, 6).filter(bool), st.integers(90, 110), st.integers(0, 50)),
        max_size=40,
    )
)
def test_profits_of_round_trips(rows: list[tuple[int, int, int]]) -> None:
    data = market(walk(bars=50))
    quantity, price, fee = np.array(rows, np.int64).reshape(-1, 3).T * 10**8
    count = len(quantity)
    fills = FillColumns(
        data.symbols,
        step=np.arange(count),
        symbol=np.zeros(count, np.int32),
        quantity=np.ascontiguousarray(quantity),
        price=np.ascontiguousarray(price),
        fee=np.ascontiguousarray(fee),
        time=np.arange(count),
        reason=np.zeros(count, np.int8),
    )
    found = trips.profits(fills, data)
    assert found == pytest.approx(trips.round_trips(fills, data).pnl, rel=1e-12, abs=1e-9)
