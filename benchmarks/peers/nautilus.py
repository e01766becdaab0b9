"""Orders a second through nautilus_trader's backtest: risk engine, matching, account, position.

Prints CPU seconds for so many market orders, buy and sell in turn, less the seconds of the same run
that orders nothing: what remains is what the orders cost.

    python nautilus.py COUNT
"""

from __future__ import annotations

import sys
import time
from decimal import Decimal

from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.config import LoggingConfig, RiskEngineConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

VENUE = Venue("SIM")
INSTRUMENT = TestInstrumentProvider.equity(symbol="ACME", venue="SIM")


class Trades(Strategy):  # type: ignore[misc]
    """Buys and sells in turn, one market order on each quote."""

    def __init__(self, *, orders: bool) -> None:
        super().__init__()
        self._orders = orders
        self._side = OrderSide.SELL
        self._sent = 0

    def on_start(self) -> None:
        """Listen to quotes."""
        self.subscribe_quote_ticks(INSTRUMENT.id)

    def on_quote_tick(self, _tick: QuoteTick) -> None:
        """Send an order."""
        if self._orders:
            self._side = OrderSide.BUY if self._side == OrderSide.SELL else OrderSide.SELL
            # The first order opens a holding that the others never close, as in our benchmark.
            size = INSTRUMENT.make_qty(7 if self._sent else 100)
            self._sent += 1
            order = self.order_factory.market(INSTRUMENT.id, self._side, size)
            self.submit_order(order)


def seconds(count: int, *, orders: bool) -> float:
    """Run over so many quotes; raises if not every order was filled."""
    engine = BacktestEngine(
        BacktestEngineConfig(
            logging=LoggingConfig(bypass_logging=True),
            risk_engine=RiskEngineConfig(
                max_order_submit_rate="1000000000/00:00:01",
                max_notional_per_order={str(INSTRUMENT.id): 1_000_000},
            ),
        )
    )
    engine.add_venue(
        VENUE, OmsType.NETTING, AccountType.MARGIN, [Money(Decimal(10_000_000), USD)], USD
    )
    engine.add_instrument(INSTRUMENT)
    price, size = INSTRUMENT.make_price(100), INSTRUMENT.make_qty(1000)
    times = [1_700_000_000_000_000_000 + i * 1_000_000_000 for i in range(count)]
    engine.add_data([QuoteTick(INSTRUMENT.id, price, price, size, size, t, t) for t in times])
    engine.add_strategy(Trades(orders=orders))
    start = time.process_time()
    engine.run()
    took = time.process_time() - start
    filled = len(engine.cache.orders_closed())
    if filled != (count if orders else 0):
        raise RuntimeError(f"{filled} of {count} orders were filled")
    engine.dispose()
    return took


if __name__ == "__main__":
    wanted = int(sys.argv[1])
    idle = seconds(wanted, orders=False)
    print(seconds(wanted, orders=True) - idle)
