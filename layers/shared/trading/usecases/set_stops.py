"""Arms and removes stops."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from trading.domain.errors import InvalidInput
from trading.domain.portfolio import Portfolio
from trading.domain.risk.stop import Stop, StopKind, StopState
from trading.ports import Desk
from trading.quant.statistics.returns import average_true_range

ATR_PERIOD = 14
ATR_BARS = 100
"""How many bars the average true range is smoothed over; older ones hardly weigh."""


def replace_stops(desk: Desk, portfolio_id: str, wanted: Sequence[Stop]) -> list[Stop]:
    """Make ``wanted`` the armed stops of a portfolio; others that are armed are removed.

    A stop that is wanted as it stands keeps its peak. Raises NotFound, ConcurrentUpdate, and
    InvalidInput for an unknown symbol or an ATR stop on too few candles.
    """
    now = desk.books.now(desk.books.account(portfolio_id))
    stored = {(s.symbol, s.id): s for s in desk.stops.of(portfolio_id)}
    asked = {(s.symbol, s.id): s for s in wanted}
    fresh = {key: s for key, s in asked.items() if not _stands(stored.get(key), s)}
    portfolio = desk.books.part(portfolio_id, sorted({s.symbol for s in fresh.values()}))
    ready = [_armed(desk, portfolio, stop, now) for stop in fresh.values()]
    for key, stop in stored.items():
        if key not in asked and stop.state is StopState.ARMED:
            gone = {"state": StopState.REMOVED, "updated_at": now}
            desk.stops.put(stop.model_copy(update=gone), stop)
    for stop in ready:
        desk.stops.put(stop, stored.get((stop.symbol, stop.id)))
    return desk.stops.of(portfolio_id)


def _stands(was: Stop | None, wanted: Stop) -> bool:
    """Whether a stop is armed already in the words it is wanted in."""
    return was is not None and was.state is StopState.ARMED and was.same_terms(wanted)


def _armed(desk: Desk, portfolio: Portfolio, stop: Stop, now: datetime) -> Stop:
    """A new stop that has seen the present price of what is held, and its ATR if it needs one."""
    if desk.market.get_instrument(stop.symbol) is None:
        raise InvalidInput("stops", f"there is no instrument '{stop.symbol}'")
    stop = stop.model_copy(update={"created_at": now, "updated_at": now})
    if stop.kind is StopKind.ATR:
        stop = remeasured(desk, stop)
        if stop.atr is None:
            raise InvalidInput(
                "stops", f"an ATR needs more {stop.timeframe} candles of {stop.symbol}"
            )
    position = portfolio.positions.get(stop.symbol)
    return stop if position is None else stop.watching(position.quantity, now)


def remeasured(desk: Desk, stop: Stop) -> Stop:
    """The stop with the average true range of the newest candles, if there are enough of them."""
    assert stop.timeframe is not None
    newest = desk.market.candles(stop.symbol, stop.timeframe, limit=ATR_BARS, newest_first=True)
    atr = average_true_range(list(reversed(newest)), ATR_PERIOD)
    return stop if atr is None else stop.measured(atr)
