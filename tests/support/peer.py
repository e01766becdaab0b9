"""The PyPI package backtesting, which shares its name with our service's folder.

Its data is read from its files, and itself runs in a process of its own, in which ours is not
found: ``python -I tests/support/peer.py candles.npz`` prints what it made of an SMA crossover.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import warnings
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

COLUMNS = ("open", "high", "low", "close", "volume")
EQUAL = 1e-9
"""Averages this close to each other, as a part of the slow one, are equal to our strategy."""


def data(name: str) -> pd.DataFrame:
    """Candles that the package brings along: EURUSD (hourly) or GOOG (daily)."""
    path = distribution("backtesting").locate_file(f"backtesting/test/{name}.csv")
    return pd.read_csv(str(path), index_col=0, parse_dates=True)


EURUSD = data("EURUSD")
GOOG = data("GOOG")


def crossed(columns: dict[str, Any]) -> dict[str, Any]:
    """Sizes of the peer's entries and its last equity, on columns with a ``time`` in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "candles.npz"
        np.savez(path, **columns)
        run = subprocess.run(
            [sys.executable, "-I", __file__, path], check=True, capture_output=True, text=True
        )
    found: dict[str, Any] = json.loads(run.stdout.strip().splitlines()[-1])
    return found


def main(path: str) -> None:
    """Run the package on stored columns and print what came of it."""
    import talib

    from backtesting import Backtest, Strategy

    class Cross(Strategy):  # type: ignore[misc]
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

    with np.load(path) as kept:
        index = pd.to_datetime(kept["time"], unit="s")
        frame = pd.DataFrame({n.title(): kept[n] for n in COLUMNS}, index=index)
    # It draws progress bars unasked, and warns of what it cannot afford.
    warnings.simplefilter("ignore")
    run = Backtest(frame, Cross, cash=1_000_000, commission=0.001, finalize_trades=False).run()
    sizes = [*run._trades.Size, *(trade.size for trade in run._strategy.trades)]
    equity = float(run._equity_curve.Equity.iloc[-1])
    sys.stdout.write(json.dumps({"sizes": [int(s) for s in sizes], "equity": equity}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
