"""Shows stops the market, and makes the one exit of each that goes off.

Runs on every price that comes in and, as a safety net, on a schedule. The exit's id derives from
the stop and from when it began to watch, so that there is one however often the trigger is seen;
it is saved before the stop is marked, so that dying in between repeats it harmlessly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from trading.domain.candle import Price
from trading.domain.errors import ConcurrentUpdate
from trading.domain.portfolio import Portfolio
from trading.domain.risk.stop import Stop, StopKind, StopState
from trading.ports import Desk
from trading.usecases.each import each, each_portfolio
from trading.usecases.leave_holding import leave, settled
from trading.usecases.set_stops import remeasured

MAX_BARS = 1000
"""How many bars one run looks at; the next one goes on from there."""


@dataclass(frozen=True)
class _Look:
    """What the market did: one price, or a bar's range from the moment at which it opened."""

    time: datetime
    high: Decimal
    low: Decimal
    bar: bool = False

    def shown_to(self, stop: Stop, now: datetime) -> Stop:
        """The stop after looking; the same object where this is no news to it."""
        if not stop.concerns(self.time, bar=self.bar):
            return stop
        seen = stop.observed_bar(self.high, self.low, now)
        return seen.model_copy(update={"bar": self.time}) if self.bar else seen


def run_stops(
    desk: Desk, portfolio_ids: Sequence[str] | None, correlation_id: str
) -> dict[str, int]:
    """Show armed stops the latest prices, and the ranges of bars that came since; measure ATRs.

    One whose exit could not trade (halted, stale price, all units promised) stays armed, and one
    whose exit came to nothing is armed again. Returns how many were armed, went off, and made an
    exit, and how many portfolios do not exist. Raises the first failure after all had their turn.
    """
    counts: Counter[str] = Counter(armed=0, triggered=0, exits=0)

    def act(portfolio_id: str) -> None:
        stops = [settled(desk, stop) for stop in desk.stops.of(portfolio_id)]
        armed = [
            _with_atr(desk, stop) if stop.kind is StopKind.ATR else stop
            for stop in stops
            if stop.state is StopState.ARMED
        ]
        _run(desk, portfolio_id, armed, {}, correlation_id, counts)

    unknown = each_portfolio(desk, portfolio_ids, act)
    return {**counts, "unknown": unknown}


def run_stops_on(desk: Desk, prices: Sequence[Price], correlation_id: str) -> dict[str, int]:
    """Show the stops on the symbols of ``prices``, which are in order of time, each of them.

    Returns how many were armed, went off, and made an exit. Raises the first failure after all
    symbols had their turn.
    """
    counts: Counter[str] = Counter(armed=0, triggered=0, exits=0)
    by_symbol: dict[str, list[Price]] = {}
    for price in prices:
        by_symbol.setdefault(price.symbol, []).append(price)

    def act(symbol: str) -> None:
        armed = desk.stops.armed_on(symbol)

        def run(portfolio_id: str) -> None:
            _run(desk, portfolio_id, armed[portfolio_id], by_symbol, correlation_id, counts)

        each(armed, run, "portfolio")

    each(by_symbol, act, "symbol")
    return dict(counts)


def _with_atr(desk: Desk, stop: Stop) -> Stop:
    """Measure an ATR stop anew and keep the figure."""
    measured = remeasured(desk, stop)
    return stop if measured is stop else _kept(desk, measured, stop) or stop


def _run(
    desk: Desk,
    portfolio_id: str,
    armed: Sequence[Stop],
    prices: Mapping[str, Sequence[Price]],
    correlation_id: str,
    counts: Counter[str],
) -> None:
    """Run some armed stops of one portfolio."""
    portfolio = desk.books.part(portfolio_id, sorted({stop.symbol for stop in armed}))
    now = desk.books.now(portfolio.account)
    counts["armed"] += len(armed)
    for symbol, group in groupby(sorted(armed, key=_urgency), key=lambda stop: stop.symbol):
        stops = _watching(desk, portfolio, list(group), now)
        if not stops:
            continue
        looks = _looks(desk, portfolio.prices.get(symbol), prices.get(symbol, ()), stops, now)
        for stop, seen in zip(stops, _observed(stops, looks, now), strict=True):
            if seen.state is StopState.TRIGGERED:
                left = leave(desk, portfolio, seen, correlation_id)
                if left is not None and _kept(desk, left, stop):
                    counts.update(triggered=1, exits=1)
            elif seen != stop:
                _kept(desk, seen, stop)


def _urgency(stop: Stop) -> tuple[str, bool, str]:
    """By symbol, those that limit a loss before those that take a gain: a bar may touch both."""
    return (stop.symbol, stop.kind is StopKind.TAKE_PROFIT, stop.id)


def _watching(desk: Desk, portfolio: Portfolio, stops: Sequence[Stop], now: datetime) -> list[Stop]:
    """The stops that have a holding to watch.

    From when they watch is kept before anything follows from it: the exit's id derives from it.
    """
    found = []
    for stop in stops:
        position = portfolio.positions.get(stop.symbol)
        seen = stop.watching(position.quantity if position else Decimal(0), now)
        kept = stop if seen is stop else _kept(desk, seen, stop)
        if kept is not None and kept.since is not None:
            found.append(kept)
    return found


def _looks(
    desk: Desk,
    latest: Price | None,
    prices: Sequence[Price],
    stops: Sequence[Stop],
    now: datetime,
) -> list[_Look]:
    """What the market did since the stops last looked; the latest price comes last, as of now."""
    start = min(stop.bar or stop.since or now for stop in stops)
    looks = [_Look(price.time, price.price, price.price) for price in prices]
    if latest is None:
        return looks
    timeframe = latest.timeframe or stops[0].timeframe
    if timeframe is not None:
        bars = desk.market.candles(latest.symbol, timeframe, start, now, MAX_BARS)
        looks = [_Look(bar.time, bar.high, bar.low, bar=True) for bar in bars] + looks
    return [*looks, _Look(now, latest.price, latest.price)]


def _observed(stops: Sequence[Stop], looks: Sequence[_Look], now: datetime) -> list[Stop]:
    """The stops of one symbol after the looks, up to where the first of them goes off."""
    seen = list(stops)
    for look in looks:
        for i, stop in enumerate(seen):
            seen[i] = look.shown_to(stop, now)
            if seen[i].state is StopState.TRIGGERED:
                return seen
    return seen


def _kept(desk: Desk, stop: Stop, was: Stop) -> Stop | None:
    """Write a stop; None if it was changed or run by somebody else meanwhile."""
    try:
        return desk.stops.put(stop, was)
    except ConcurrentUpdate:
        return None
