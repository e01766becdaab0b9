"""The curve of a run: what fills and other flows make of cash, holdings and equity, bar by bar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from trading.quant.simulation.fills import SCALE, FillColumns
from trading.quant.simulation.market import Market

if TYPE_CHECKING:
    from trading.quant.strategies.strategy import FloatArray


class Flow(NamedTuple):
    """Cash that came or went at a step other than by a fill, such as funding; in base currency."""

    step: int
    amount: float


class Curve(NamedTuple):
    """One entry per step: closing time (seconds since 1970), and amounts in the base currency."""

    time: FloatArray
    equity: FloatArray
    cash: FloatArray
    gross: FloatArray
    net: FloatArray


def curve_of(market: Market, fills: FillColumns, cash: float, flows: Sequence[Flow] = ()) -> Curve:
    """Work out the curve of fills on a market, beginning with ``cash``.

    Holdings are valued at the newest close. Floats: for analysis, the exact books are the ledger's.
    """
    import numpy as np

    steps = len(market.times)
    quantity = fills.quantity / SCALE
    paid = -(quantity * (fills.price / SCALE)) - fills.fee / SCALE
    moved = np.bincount(fills.step, paid, steps)
    for flow in flows:
        moved[flow.step] += flow.amount
    balance: FloatArray = np.cumsum(moved, dtype=np.float64) + cash
    net, gross = np.zeros(steps), np.zeros(steps)
    for place, symbol in enumerate(market.symbols):
        own = fills.symbol == place if len(market.symbols) > 1 else slice(None)
        traded = np.bincount(fills.step[own], quantity[own], steps)
        held: FloatArray = np.cumsum(traded)
        # Sums of floats leave dust where everything was sold.
        held[np.abs(held) < 0.5 / SCALE] = 0.0
        worth = held * closes(market, symbol)
        net += worth
        gross += np.abs(worth)
    length = market.bar_length.total_seconds()
    return Curve(market.times + length, balance + net, balance, gross, net)


def closes(market: Market, symbol: str) -> FloatArray:
    """A symbol's newest close at every step; zero before its first bar."""
    import numpy as np

    own = market.candles[symbol].close
    if len(own) == len(market.times):
        return own
    newest = np.maximum.accumulate(market.index[symbol])
    found: FloatArray = np.where(newest >= 0, own[newest], 0.0)
    return found
