"""The fast gear: a compiled twin of the platform's own decisions, for what it covers.

What it covers is said by ``refuses``; all else runs on the reference gear, which decides what is
right. Tests hold the two against each other fill by fill.
"""

from __future__ import annotations

import ctypes
import warnings
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from trading.domain.backtest import BacktestConfig
from trading.domain.fill_model import FillTiming, SlippageModel
from trading.domain.money import MAX_SCALE
from trading.domain.order import OrderType
from trading.domain.portfolio import AllocationPolicy, Direction, Sizing
from trading.domain.risk.limits import NO_LIMITS
from trading.quant.simulation import compiled
from trading.quant.simulation.compiled import FillBuffers, address, place
from trading.quant.simulation.curve import Curve
from trading.quant.simulation.fills import SCALE, FillColumns
from trading.quant.simulation.market import Market
from trading.quant.simulation.scoring import Thresholds
from trading.quant.strategies.scored import NO_SCORE, Scored

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    pass

_BPS_SCALE = 10**4
_SIZINGS = {Sizing.FRACTION: 0, Sizing.FIXED_QUANTITY: 1, Sizing.FIXED_NOTIONAL: 2}
_FULL = 2


class _Terms(ctypes.Structure):
    """The terms of a run, as the library reads them."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("bars", "tick", "lot")),
        *((name, ctypes.c_int64) for name in ("taker_rate", "maker_rate", "highest_rate")),
        *((name, ctypes.c_int64) for name in ("spread", "slippage", "factor", "amount", "cash")),
        *(
            (name, ctypes.c_int64)
            for name in ("enter_long", "enter_short", "leave_long", "leave_short")
        ),
        *((name, ctypes.c_int64) for name in ("next_bar", "margin", "both", "sizing")),
        *((name, ctypes.c_int64) for name in ("stop", "trail", "target")),
        ("valid_for", ctypes.c_double),
        ("bar_length", ctypes.c_double),
    )


class _Columns(ctypes.Structure):
    """The market and what the strategy says of it, as the library reads them."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("time", "open", "high", "low", "close")),
        *((name, ctypes.c_void_p) for name in ("scores", "stops", "targets")),
        ("no_score", ctypes.c_int64),
    )


class OutOfRange(Exception):
    """The amounts of a run are larger than the fast gear's numbers."""


@cache
def library() -> ctypes.CDLL | None:
    """The compiled library; None, with one warning, where there is none."""
    found = compiled.library()
    if found is None:
        warnings.warn(
            "the compiled gear of backtests is not installed; they run on the reference gear",
            RuntimeWarning,
            stacklevel=2,
        )
    return found


def refuses(config: BacktestConfig, says: Mapping[str, Scored]) -> str | None:
    """Why a run is not for the fast gear; None if it is."""
    policy, model = config.policy, config.fill_model
    reasons = {
        "several symbols": len(config.symbols) > 1,
        "funding": bool(config.funding),
        "risk limits": config.limits != NO_LIMITS,
        "entries by limit or stop": policy.entry is not OrderType.MARKET,
        "sizing by risk": policy.sizing is Sizing.RISK,
        "exits around shorts": policy.direction is not Direction.LONG
        and config.margin
        and (_has_exits(policy) or any(_hinted(s) for s in says.values())),
        "size hints": any(s.size is not None for s in says.values()),
        "weighted strategies": policy.weights.get(config.strategy, 1) != 1,
        "slippage by share of volume": model.slippage is SlippageModel.VOLUME_SHARE,
        "a participation rate": model.participation_rate is not None,
        "a minimum notional": any(i.min_notional for i in config.instruments.values()),
        "costs in fractions of 0.0001 basis points": not _whole(
            model.spread_bps, model.slippage_bps, scale=4
        ),
        "amounts of more than eight decimals": not _whole(*_amounts(config), scale=MAX_SCALE),
        "bars without a score after the first one": any(_broken(s) for s in says.values()),
    }
    found = [reason for reason, stands in reasons.items() if stands]
    if found:
        return ", ".join(found)
    return None if library() is not None else "the compiled gear is not installed"


def simulate(
    config: BacktestConfig, market: Market, said: Scored
) -> tuple[FillColumns, Decimal, Decimal]:
    """Run one symbol; returns the fills, the cash and the quantity held at the end.

    Raises OutOfRange for amounts that its numbers cannot hold.
    """
    import numpy as np

    candles, step_room = market.candles[market.symbols[0]], 1024
    scores = np.ascontiguousarray(said.scores, np.int64)
    terms = _terms(config, market)
    shown = (candles.time, candles.open, candles.high, candles.low, candles.close, scores)
    hints = [_exact_column(column) for column in (said.stop_distance, said.target_distance)]
    given = _Columns(
        *map(place, shown), *(None if h is None else place(h) for h in hints), NO_SCORE
    )
    while True:
        columns = np.empty((4, step_room), np.int64)
        reason, at_end = np.empty((2, step_room), np.int8)
        first, row = place(columns), 8 * step_room
        rows = (first + i * row for i in range(4))
        out = FillBuffers(*rows, place(reason), place(at_end), step_room)
        lib = library()
        assert lib is not None  # noqa: S101 - refused before
        failed = lib.trading_simulate(ctypes.byref(terms), ctypes.byref(given), ctypes.byref(out))
        if failed != _FULL:
            break
        step_room *= 8
    if failed:
        raise OutOfRange("the amounts are too large for the fast gear")
    count = out.count
    step, quantity, price, fee = columns[:, :count]
    at = candles.time[step] + at_end[:count] * market.bar_length.total_seconds()
    fills = FillColumns(
        market.symbols,
        step=step,
        symbol=np.zeros(count, np.int32),
        quantity=quantity,
        price=price,
        fee=fee,
        time=np.rint(at * 1e6).astype(np.int64),
        reason=reason[:count],
    )
    cash = (out.cash_hi << 64) + (out.cash_lo & (2**64 - 1))
    return fills, Decimal(cash).scaleb(-16), Decimal(out.held).scaleb(-MAX_SCALE)


def curve(market: Market, fills: FillColumns, cash: float) -> Curve:
    """The curve of one symbol's fills, as ``curve_of`` works it out."""
    import numpy as np

    close = market.candles[market.symbols[0]].close
    balance, equity, gross, net = (np.empty(len(close)) for _ in range(4))
    lib = library()
    assert lib is not None  # noqa: S101 - refused before
    lib.trading_curve(
        ctypes.c_int64(len(close)),
        address(close),
        ctypes.c_double(cash),
        ctypes.byref(FillBuffers.of(fills)),
        *(address(column) for column in (balance, equity, gross, net)),
    )
    time = market.times + market.bar_length.total_seconds()
    return Curve(time=time, equity=equity, cash=balance, gross=gross, net=net)


def _terms(config: BacktestConfig, market: Market) -> _Terms:
    """A configuration as the library reads it."""
    policy, model = config.policy, config.fill_model
    instrument = config.instruments[market.symbols[0]]
    at = Thresholds.of(policy, margin=config.margin)
    amount = policy.quantity if policy.sizing is Sizing.FIXED_QUANTITY else policy.notional
    slips = model.slippage is SlippageModel.FIXED
    return _Terms(
        bars=len(market.times),
        tick=_units(instrument.tick_size),
        lot=_units(instrument.lot_size),
        taker_rate=_units(config.commission_rate),
        maker_rate=_units(config.commission_rate if model.maker_rate is None else model.maker_rate),
        highest_rate=_units(max(config.commission_rate, model.maker_rate or Decimal(0))),
        spread=int(model.spread_bps * _BPS_SCALE),
        slippage=int(model.slippage_bps * _BPS_SCALE) if slips else 0,
        factor=_units(policy.target_fraction),
        amount=_units(amount or Decimal(0)),
        cash=_units(config.cash),
        enter_long=at.enter_long,
        enter_short=at.enter_short,
        leave_long=at.leave_long,
        leave_short=at.leave_short,
        next_bar=model.timing is FillTiming.NEXT_BAR,
        margin=config.margin,
        both=0,
        sizing=_SIZINGS[policy.sizing],
        stop=_units(policy.stop_loss_percent or Decimal(0)),
        trail=_units(policy.trail_percent or Decimal(0)),
        target=_units(policy.take_profit_percent or Decimal(0)),
        valid_for=float(policy.valid_for_seconds),
        bar_length=market.bar_length.total_seconds(),
    )


def _units(amount: Decimal) -> int:
    return int(amount * SCALE)


def _whole(*amounts: Decimal, scale: int) -> bool:
    """Whether amounts have at most so many decimals."""
    return all(a.scaleb(scale) == a.scaleb(scale).to_integral_value() for a in amounts)


def _amounts(config: BacktestConfig) -> list[Decimal]:
    """Every amount that the library takes in hundred-millionths."""
    policy, given = config.policy, [config.cash, config.commission_rate]
    rest = (
        *(config.fill_model.maker_rate, policy.quantity, policy.notional, policy.target_fraction),
        *(policy.stop_loss_percent, policy.trail_percent, policy.take_profit_percent),
    )
    for instrument in config.instruments.values():
        given += [instrument.tick_size, instrument.lot_size]
    return given + [amount for amount in rest if amount is not None]


def _has_exits(policy: AllocationPolicy) -> bool:
    exits = (policy.stop_loss_percent, policy.trail_percent, policy.take_profit_percent)
    return any(percent is not None for percent in exits)


def _hinted(said: Scored) -> bool:
    return any(h is not None for h in (said.stop_distance, said.target_distance))


def _exact_column(hints: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
    """Hints as the library reads them, one after the other."""
    import numpy as np

    return None if hints is None else np.ascontiguousarray(hints, np.int64)


def _broken(said: Scored) -> bool:
    """Whether a bar lacks a score after one that has one."""
    missing = said.scores == NO_SCORE
    first = int(missing.argmin()) if len(missing) else 0
    return bool(missing[first:].any()) and not missing.all()
