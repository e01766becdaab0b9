"""The same trades and the same equity, to the cent, as the backtesting package gives."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from tests.quant.simulation.markets import config, market, walk
from tests.support.peer import EQUAL as PEER_EQUAL
from tests.support.peer import EURUSD, GOOG, crossed
from trading.backtesting import run_backtest
from trading.quant.simulation.result import BacktestResult
from trading.quant.simulation.scoring import score_market
from trading.quant.strategies.ma_cross import EQUAL
from trading.quant.strategies.scored import NO_SCORE
from trading.quant.strategies.strategy import COLUMNS, Candles


def columns(frame: pd.DataFrame, digits: int) -> Candles:
    """A package's data with prices cut to what they are quoted in."""
    time = (frame.index - pd.Timestamp(0)).total_seconds().to_numpy()
    named = {n: np.round(frame[n.title()].to_numpy(float), digits) for n in ("open", "close")}
    high = np.maximum(np.round(frame["High"].to_numpy(float), digits), np.maximum(*named.values()))
    low = np.minimum(np.round(frame["Low"].to_numpy(float), digits), np.minimum(*named.values()))
    volume = np.round(frame["Volume"].to_numpy(float))
    return Candles("A", "1h", time, named["open"], high, low, named["close"], volume)


def all_in(data: Candles) -> BacktestResult:
    """Our run; like the peer it first looks at the bar after the first with both averages."""
    given = config(commission_rate=Decimal("0.001"))
    said = score_market(given, market(data))
    said["A"].scores[29] = NO_SCORE
    return run_backtest(given, market(data), says=said)


@pytest.mark.parametrize(
    "data",
    [walk(bars=4000), columns(GOOG, 2), columns(EURUSD, 5)],
    ids=["walk", "GOOG", "EURUSD"],
)
def test_trades_and_equity_are_equal_to_the_cent(data: Candles) -> None:
    peer = crossed({name: getattr(data, name) for name in COLUMNS})
    ours = all_in(data)
    entries = [r for r in ours.fills.records() if r.quantity > 0]
    assert PEER_EQUAL == EQUAL
    assert len(entries) > 20
    assert [int(r.quantity) for r in entries] == peer["sizes"]
    assert ours.equity[-1] == pytest.approx(peer["equity"], abs=0.005)
