"""Round trips: from flat, or from where a holding turns around, until it is flat or turns again."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from trading.quant.simulation.compiled import FillBuffers, address, library
from trading.quant.simulation.fills import SCALE, FillColumns
from trading.quant.simulation.market import Market

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trading.quant.strategies.strategy import FloatArray


@dataclass(frozen=True, eq=False)
class RoundTrips:
    """Closed round trips in the order of their ends, as columns of one length.

    ``entry`` and ``exit`` are steps of the market's axis, ``quantity`` the units traded (negative
    for shorts), the prices are means weighted by quantity, ``pnl`` is after ``fees``, in the quote
    currency; ``pnl_fraction`` is ``pnl`` over the entry's worth. ``mae`` and ``mfe`` are the worst
    and the best that the market offered meanwhile, as fractions of the entry price (Sweeney,
    Campaign Trading, 1996): mae at most 0, mfe at least 0. ``reason`` is the last fill's.
    """

    symbols: tuple[str, ...]
    symbol: NDArray[np.int64]
    entry: NDArray[np.int64]
    exit: NDArray[np.int64]
    quantity: FloatArray
    entry_price: FloatArray
    exit_price: FloatArray
    pnl: FloatArray
    fees: FloatArray
    pnl_fraction: FloatArray
    mae: FloatArray
    mfe: FloatArray
    reason: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.entry)


NAMES = (
    "symbol",
    "entry",
    "exit",
    "quantity",
    "entry_price",
    "exit_price",
    "pnl",
    "fees",
    "pnl_fraction",
    "mae",
    "mfe",
    "reason",
)
"""The columns of ``RoundTrips``."""


def round_trips(fills: FillColumns, market: Market) -> RoundTrips:
    """Put a run's fills together to round trips; what is still held at the end is none."""
    import numpy as np

    parts = [_of_symbol(fills, market, place) for place in range(len(market.symbols))]
    joined = {n: np.concatenate([part[n] for part in parts]) for n in NAMES}
    order = np.argsort(joined["exit"], kind="stable")
    return RoundTrips(market.symbols, **{name: column[order] for name, column in joined.items()})


def profits(fills: FillColumns, market: Market) -> FloatArray:
    """The round trips' profits after fees alone, symbol by symbol."""
    import numpy as np

    lib = library() if len(market.symbols) == 1 else None
    if lib is not None:
        # Each fill ends one at most, and one more where it turns a holding around.
        gains = np.empty(len(fills) + 1)
        given = FillBuffers.of(fills)
        return gains[: lib.trading_profits(ctypes.byref(given), address(gains))]
    parts = (_closed(fills, place) for place in range(len(market.symbols)))
    found = [_worth(part)[-1] for part in parts if part is not None]
    return np.concatenate(found) if found else np.empty(0)


class _Closed(NamedTuple):
    """One symbol's fills up to where it was flat last, and where its round trips begin."""

    units: NDArray[np.int64]
    price: FloatArray
    step: NDArray[np.int64]
    fee: FloatArray
    reason: NDArray[np.int64]
    starts: NDArray[np.int64]


def _closed(fills: FillColumns, place: int) -> _Closed | None:
    """A symbol's fills that belong to closed round trips; None for none."""
    import numpy as np

    units, price, step, fee, reason = _split(fills, place)
    held = np.cumsum(units)
    before = np.empty_like(held)
    before[:1], before[1:] = 0, held[:-1]
    starts = np.flatnonzero(before == 0)
    if len(held) and held[-1] != 0:
        # What is still held has no end yet.
        cut = starts[-1]
        units, price, step = units[:cut], price[:cut], step[:cut]
        fee, reason, starts = fee[:cut], reason[:cut], starts[:-1]
    return _Closed(units, price, step, fee, reason, starts) if len(starts) else None


def _worth(
    closed: _Closed,
) -> tuple[NDArray[np.int64], FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """By round trip: its side, its size, what entering and leaving was worth, fees and profit."""
    import numpy as np

    units, starts = closed.units, closed.starts
    lengths = np.diff(starts, append=len(units))
    sign = np.sign(units[starts])
    quantity = np.abs(units) / SCALE
    opens = np.sign(units) == np.repeat(sign, lengths)
    worth = quantity * closed.price
    entered = np.where(opens, worth, 0.0)
    bought = np.add.reduceat(entered, starts)
    sold = np.add.reduceat(worth - entered, starts)
    size = np.add.reduceat(np.where(opens, quantity, 0.0), starts)
    fees = np.add.reduceat(closed.fee, starts)
    return sign, size, bought, sold, fees, sign * (sold - bought) - fees


def _of_symbol(fills: FillColumns, market: Market, place: int) -> dict[str, NDArray[np.generic]]:
    """One symbol's round trips."""
    import numpy as np

    closed = _closed(fills, place)
    if closed is None:
        return {name: np.empty(0, np.int64 if name in _WHOLE else float) for name in NAMES}
    sign, size, bought, sold, fees, pnl = _worth(closed)
    starts = closed.starts
    ends = np.append(starts[1:], len(closed.units)) - 1
    entry_price = bought / size
    steps = closed.step[starts], closed.step[ends]
    worst, best = _excursions(market, place, *steps, sign, entry_price, sold / size)
    return {
        "symbol": np.full(len(starts), place, np.int64),
        "entry": steps[0],
        "exit": steps[1],
        "quantity": sign * size,
        "entry_price": entry_price,
        "exit_price": sold / size,
        "pnl": pnl,
        "fees": fees,
        "pnl_fraction": pnl / bought,
        "mae": worst,
        "mfe": best,
        "reason": closed.reason[ends],
    }


_WHOLE = ("symbol", "entry", "exit", "reason")


def _split(
    fills: FillColumns, place: int
) -> tuple[NDArray[np.int64], FloatArray, NDArray[np.int64], FloatArray, NDArray[np.int64]]:
    """One symbol's fills, those that turn a holding around as two: what closes, and what opens.

    Units (hundred-millionths, signed), prices, steps, fees and reasons.
    """
    import numpy as np

    own = slice(None) if len(fills.symbols) == 1 else fills.symbol == place
    units, step = fills.quantity[own], fills.step[own]
    price, fee = fills.price[own] / SCALE, fills.fee[own] / SCALE
    reason = fills.reason[own].astype(np.int64)
    before = np.cumsum(units) - units
    turns = np.sign(before) * np.sign(before + units) < 0
    if not turns.any():
        return units, price, step, fee, reason
    times = np.where(turns, 2, 1)
    part = np.where(turns, -before, units).repeat(times)
    second = np.cumsum(times)[turns] - 1
    part[second] = (units + before)[turns]
    share = np.abs(part) / np.abs(units).repeat(times)
    return (
        part,
        price.repeat(times),
        step.repeat(times),
        fee.repeat(times) * share,
        reason.repeat(times),
    )


def _excursions(
    market: Market,
    place: int,
    entry: NDArray[np.int64],
    end: NDArray[np.int64],
    sign: NDArray[np.int64],
    price: FloatArray,
    left_at: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """The worst and the best price while something was held, against the entry's.

    Of the bar in which it ended only the price that it ended at, unless it began there as well.
    """
    import numpy as np

    candles, index = market.candles[market.symbols[place]], market.index[market.symbols[place]]
    first = index[entry]
    last = np.maximum(first, index[end] - 1)
    edges = np.stack([first, last + 1], axis=1).ravel()
    low, high = candles.low, candles.high
    if len(edges) and edges.max() == len(low):
        low, high = np.append(low, np.inf), np.append(high, -np.inf)
    lows = np.minimum.reduceat(low, edges)[::2]
    highs = np.maximum.reduceat(high, edges)[::2]
    lows, highs = np.minimum(lows, left_at), np.maximum(highs, left_at)
    worst = np.where(sign > 0, lows, highs)
    best = np.where(sign > 0, highs, lows)
    against: FloatArray = np.minimum(sign * (worst / price - 1), 0.0)
    favour: FloatArray = np.maximum(sign * (best / price - 1), 0.0)
    return against, favour
