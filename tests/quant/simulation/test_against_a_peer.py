"""The same trades and the same equity, to the cent, as the backtesting package gives."""

from __future__ import annotations

import warnings
from decimal import Decimal

import numpy as np
import pytest
import talib

from tests.quant.simulation.markets import config, market, walk
from trading.backtesting import run_backtest
from trading.quant.simulation.result import BacktestResult
from trading.quant.simulation.scoring import score_market
from trading.quant.strategies.ma_cross import EQUAL
from trading.quant.strategies.scored import NO_SCORE
from trading.quant.strategies.strategy import Candles

with warnings.catch_warnings():
    # Its notebooks' helpers warn on import.
    warnings.simplefilter("ignore")
    import pandas as pd
    from backtesting import Backtest, Strategy
    from backtesting.test import EURUSD, GOOG


class Cross(Strategy):
    """Long while the fast average is above the slow one: all in at the next open."""

    def init(self) -> None:
        self.fast = self.I(talib.SMA, self.data.Close, 10)
        self.slow = self.I(talib.SMA, self.data.Close, 30)

    def next(self) -> None:
        gap = self.fast[-1] - self.slow[-1]
        if not self.position and gap > EQUAL * self.slow[-1]:
            self.buy()
        elif self.position and gap < -EQUAL * self.slow[-1]:
            self.position.close()


def frame(candles: Candles) -> pd.DataFrame:
    columns = {n.title(): getattr(candles, n) for n in ("open", "high", "low", "close", "volume")}
    return pd.DataFrame(columns, index=pd.to_datetime(candles.time, unit="s"))


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
    with warnings.catch_warnings():
        # It draws progress bars unasked, and warns of what it cannot afford.
        warnings.simplefilter("ignore")
        peer = Backtest(
            frame(data), Cross, cash=1_000_000, commission=0.001, finalize_trades=False
        ).run()
    ours = all_in(data)
    entries = [r for r in ours.fills.records() if r.quantity > 0]
    sizes = [*peer._trades.Size, *(trade.size for trade in peer._strategy.trades)]
    assert len(entries) > 20
    assert [int(r.quantity) for r in entries] == sizes
    assert ours.equity[-1] == pytest.approx(peer._equity_curve.Equity.iloc[-1], abs=0.005)
