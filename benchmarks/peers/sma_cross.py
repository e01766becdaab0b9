"""Peers' backtests of a 10/30 crossover: long only, all in, at the next open, 0.1 % commission.

    python sma_cross.py ENGINE DATA.npz RUNS

prints one line of JSON: the best warm run's seconds, from columns to statistics, the number of
entries, the last equity, the version, and the seconds of the first run, compilation included.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

CASH, COMMISSION, FAST, SLOW = 1e9, 0.001, 10, 30


def vectorbt(engine: str) -> Callable[[Any], tuple[int, float]]:
    """Signals on closes, moved by one bar, filled at opens; its default statistics."""
    import pandas as pd
    import vectorbt as vbt

    def run(data: Any) -> tuple[int, float]:
        index = pd.to_datetime(data["time"], unit="s")
        opened, close = pd.Series(data["open"], index), pd.Series(data["close"], index)
        fast, slow = vbt.MA.run(close, FAST), vbt.MA.run(close, SLOW)
        above = (fast.ma > slow.ma).to_numpy()
        entries = np.append(False, above[:-1] & ~np.append(False, above[:-2]))
        below = (fast.ma < slow.ma).to_numpy()
        exits = np.append(False, below[:-1] & ~np.append(False, below[:-2]))
        portfolio = vbt.Portfolio.from_signals(
            close, entries, exits, price=opened, fees=COMMISSION, init_cash=CASH,
            size_granularity=1, freq="1h", engine=engine,
        )  # fmt: skip
        portfolio.stats()
        return int((portfolio.orders.records["side"] == 0).sum()), float(portfolio.value().iloc[-1])

    return run


def backtesting() -> Callable[[Any], tuple[int, float]]:
    """Its own engine and statistics."""
    import pandas as pd

    from backtesting import Backtest, Strategy

    def average(values: Any, length: int) -> Any:
        return pd.Series(values).rolling(length).mean()

    class Cross(Strategy):
        def init(self) -> None:
            self.fast = self.I(average, self.data.Close, FAST)
            self.slow = self.I(average, self.data.Close, SLOW)

        def next(self) -> None:
            gap = self.fast[-1] - self.slow[-1]
            if not self.position and gap > 1e-9 * self.slow[-1]:
                self.buy()
            elif self.position and gap < -1e-9 * self.slow[-1]:
                self.position.close()

    def run(data: Any) -> tuple[int, float]:
        names = ("open", "high", "low", "close", "volume")
        frame = pd.DataFrame(
            {name.title(): data[name] for name in names}, pd.to_datetime(data["time"], unit="s")
        )
        found = Backtest(frame, Cross, cash=CASH, commission=COMMISSION).run()
        entries = len(found._trades) + len(found._strategy.trades)
        return entries, float(found._equity_curve.Equity.iloc[-1])

    return run


def backtrader() -> Callable[[Any], tuple[int, float]]:
    """Its own engine with two analyzers."""
    import backtrader as bt
    import pandas as pd

    class Cross(bt.Strategy):
        def __init__(self) -> None:
            self.gap = bt.ind.SMA(period=FAST) - bt.ind.SMA(period=SLOW)
            self.entries = 0

        def next(self) -> None:
            if not self.position and self.gap[0] > 0:
                self.entries += 1
                self.buy(size=int(self.broker.getcash() * 0.99 / self.data.close[0]))
            elif self.position and self.gap[0] < 0:
                self.close()

    def run(data: Any) -> tuple[int, float]:
        names = ("open", "high", "low", "close", "volume")
        frame = pd.DataFrame(
            {name: data[name] for name in names}, pd.to_datetime(data["time"], unit="s")
        )
        engine = bt.Cerebro()
        engine.addstrategy(Cross)
        engine.adddata(bt.feeds.PandasData(dataname=frame))
        engine.broker.setcash(CASH)
        engine.broker.setcommission(COMMISSION)
        engine.addanalyzer(bt.analyzers.DrawDown)
        engine.addanalyzer(bt.analyzers.TradeAnalyzer)
        (strategy,) = engine.run()
        return strategy.entries, float(engine.broker.getvalue())

    return run


def numba_loop() -> Callable[[Any], tuple[int, float]]:
    """A loop written by hand for just this: running sums, floats, no statistics."""
    import numba

    @numba.njit  # type: ignore[untyped-decorator]
    def loop(opened: Any, close: Any, cash: float) -> tuple[int, float]:
        units, entries, want, fast, slow = 0.0, 0, 0, 0.0, 0.0
        for i in range(len(close)):
            if want > 0 and units == 0:
                units = np.floor(cash / (opened[i] * (1 + COMMISSION)))
                cash -= units * opened[i] * (1 + COMMISSION)
                entries += units > 0
            elif want < 0 and units > 0:
                cash += units * opened[i] * (1 - COMMISSION)
                units = 0.0
            want = 0
            fast += close[i] - (close[i - FAST] if i >= FAST else 0.0)
            slow += close[i] - (close[i - SLOW] if i >= SLOW else 0.0)
            if i >= SLOW:
                gap = fast / FAST - slow / SLOW
                want = 1 if gap > 1e-9 * slow / SLOW else -1 if gap < -1e-9 * slow / SLOW else 0
        return entries, cash + units * close[-1]

    def run(data: Any) -> tuple[int, float]:
        entries, equity = loop(data["open"], data["close"], CASH)
        return int(entries), float(equity)

    return run


def sweep(data: Any) -> tuple[int, float]:
    """A thousand pairs in one call of vectorbt."""
    import pandas as pd
    import vectorbt as vbt

    close = pd.Series(data["close"], pd.to_datetime(data["time"], unit="s"))
    pairs = [(f, s) for f in range(2, 42) for s in range(50, 150, 4)]
    fast = vbt.MA.run(close, [f for f, _ in pairs], short_name="fast")
    slow = vbt.MA.run(close, [s for _, s in pairs], short_name="slow")
    portfolio = vbt.Portfolio.from_signals(
        close, fast.ma_crossed_above(slow), fast.ma_crossed_below(slow),
        fees=COMMISSION, init_cash=CASH, freq="1h",
    )  # fmt: skip
    ratios = portfolio.sharpe_ratio()
    return len(pairs), float(ratios.max())


ENGINES: dict[str, tuple[str, Callable[[], Callable[[Any], tuple[int, float]]]]] = {
    "vectorbt-numba": ("vectorbt", lambda: vectorbt("numba")),
    "vectorbt-rust": ("vectorbt", lambda: vectorbt("rust")),
    "vectorbt-sweep": ("vectorbt", lambda: sweep),
    "numba-loop": ("numba", numba_loop),
    "backtesting": ("backtesting", backtesting),
    "backtrader": ("backtrader", backtrader),
}


def main() -> None:
    """Run one engine and print what came of it."""
    import resource
    from importlib.metadata import version

    warnings.simplefilter("ignore")
    engine, path, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])
    package, made = ENGINES[engine]
    data = dict(np.load(path))
    run = made()
    seconds = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        entries, equity = run(data)
        seconds.append(time.perf_counter() - start)
    print(json.dumps({
        "first": seconds[0], "warm": min(seconds[1:] or seconds), "entries": entries,
        "equity": equity, "version": version(package),
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
