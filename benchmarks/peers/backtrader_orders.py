"""Orders a second through backtrader's broker: cash check, matching, commission, position.

Prints CPU seconds for so many market orders, buy and sell in turn, less the seconds of the same run
that orders nothing: what remains is what the orders cost.

    python backtrader_orders.py COUNT
"""

from __future__ import annotations

import sys
import time
from datetime import datetime, timedelta
from typing import Any

import backtrader as bt


class Bars(bt.feed.DataBase):  # type: ignore[misc]
    """So many flat bars at 100."""

    params = (("count", 0),)

    def start(self) -> None:
        """Begin at the first bar."""
        super().start()
        self._left = self.p.count + 2
        self._moment = datetime(2020, 1, 1)  # noqa: DTZ001 - backtrader's times have no zone

    def _load(self) -> bool:
        if self._left == 0:
            return False
        self._left -= 1
        self._moment += timedelta(minutes=1)
        self.lines.datetime[0] = bt.date2num(self._moment)
        for line in (self.lines.open, self.lines.high, self.lines.low, self.lines.close):
            line[0] = 100.0
        self.lines.volume[0] = 1e6
        self.lines.openinterest[0] = 0.0
        return True


class Trades(bt.Strategy):  # type: ignore[misc]
    """Buys and sells in turn, one market order on each bar."""

    params = (("count", 0),)

    def __init__(self) -> None:
        self.sent = self.filled = 0

    def notify_order(self, order: Any) -> None:
        """Count what was filled."""
        self.filled += order.status == order.Completed

    def next(self) -> None:
        """Send an order."""
        if self.sent < self.p.count:
            # The first order opens a holding that the others never close, as in our benchmark.
            size = 7 if self.sent else 100
            self.sent += 1
            (self.buy if self.sent % 2 else self.sell)(size=size)


def seconds(count: int, orders: int) -> float:
    """Run over so many bars; raises if not every order was filled."""
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.broker.setcash(10_000_000)
    cerebro.broker.setcommission(commission=0.001)
    cerebro.adddata(Bars(count=count))
    cerebro.addstrategy(Trades, count=orders)
    start = time.process_time()
    (strategy,) = cerebro.run(runonce=False, exactbars=1)
    took = time.process_time() - start
    if strategy.filled != orders:
        raise RuntimeError(f"{strategy.filled} of {orders} orders were filled")
    return took


if __name__ == "__main__":
    wanted = int(sys.argv[1])
    idle = seconds(wanted, 0)
    print(seconds(wanted, wanted) - idle)
