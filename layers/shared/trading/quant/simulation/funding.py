"""What holding a perpetual brings or costs during a backtest."""

from __future__ import annotations

from collections import defaultdict
from decimal import ROUND_FLOOR, Decimal
from typing import NamedTuple

from trading.domain.backtest import BacktestConfig
from trading.domain.errors import InvalidInput
from trading.domain.ledger import LedgerTransaction
from trading.domain.money import FEE_STEP
from trading.domain.time import to_text
from trading.quant.simulation.curve import Flow
from trading.quant.simulation.market import Market


class Charge(NamedTuple):
    """A funding rate that is due: longs pay it to shorts."""

    symbol: str
    rate: Decimal
    cause: str

    def amount(self, quantity: Decimal, price: Decimal) -> Decimal:
        """What comes in (negative: goes out) for a holding: -quantity * price * rate.

        Rounded to eight decimals, against the holder.
        """
        due = -quantity * price * self.rate
        return due.quantize(FEE_STEP, ROUND_FLOOR)


def charges_of(config: BacktestConfig, market: Market) -> dict[int, list[Charge]]:
    """The rates by the step at which they are due: the first that closes at or after their time.

    Raises InvalidInput for a symbol that is not traded. Rates after the last bar never fall due.
    """
    import numpy as np

    found: dict[int, list[Charge]] = defaultdict(list)
    closes = market.times + market.bar_length.total_seconds()
    for i, rate in enumerate(config.funding):
        if rate.symbol not in market.candles:
            raise InvalidInput(f"funding.{i}.symbol", f"there are no candles of '{rate.symbol}'")
        step = int(np.searchsorted(closes, rate.time.timestamp()))
        if step < len(closes) and rate.time.timestamp() > float(market.times[0]):
            cause = f"funding:{rate.symbol}:{to_text(rate.time)}"
            found[step].append(Charge(rate.symbol, rate.rate, cause))
    return dict(found)


def flow_of(step: int, transaction: LedgerTransaction) -> Flow:
    """What a movement did to cash, for the curve."""
    cash = sum((e.amount for e in transaction.entries if e.account == "cash"), Decimal(0))
    return Flow(step, float(cash))
