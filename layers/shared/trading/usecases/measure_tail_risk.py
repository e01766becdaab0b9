"""Measures what the present holdings could lose, and keeps what judging an order needs of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

from trading.domain.candle import Candle
from trading.domain.errors import InvalidInput
from trading.domain.money import ZERO, storable
from trading.domain.portfolio import Portfolio
from trading.domain.risk.limits import RiskLimits
from trading.domain.risk.tail import MIN_OBSERVATIONS, ReturnSeries, TailState, VarMethod
from trading.ports import Desk
from trading.quant.statistics.returns import PERIODS_PER_YEAR, simple_returns, volatility_of
from trading.quant.statistics.value_at_risk import TailRisk, tail_risk
from trading.usecases.closed_candles import closed_candles
from trading.usecases.each import each_portfolio

_RETURN_SCALE = Decimal("1e-12")


def measure_tails(
    desk: Desk, portfolio_ids: Sequence[str] | None, timeframe: str
) -> dict[str, int]:
    """Work out the tail state of portfolios (None: all) whose limits are measured on it.

    Also the returns of the symbols that they may trade. Returns how many portfolios and symbols
    were measured, and how many portfolios do not exist.
    """
    counts: Counter[str] = Counter(tails=0)
    wanted: dict[str, int] = {}
    due: list[tuple[Portfolio, RiskLimits]] = []

    def look(portfolio_id: str) -> None:
        limits = desk.risk.limits(portfolio_id)
        if not limits.needs_tail and limits.max_volatility_percent is None:
            desk.books.account(portfolio_id)
            return
        portfolio = desk.books.portfolio(portfolio_id)
        due.append((portfolio, limits))
        for symbol in _tradable(desk, portfolio, limits):
            wanted[symbol] = max(wanted.get(symbol, 0), limits.var_window)

    unknown = each_portfolio(desk, portfolio_ids, look)
    series = _measured(desk, wanted, timeframe)
    for portfolio, limits in due:
        _keep_tail(desk, portfolio, limits, series, timeframe)
        counts["tails"] += 1
    return {**counts, "symbols": len(wanted), "unknown": unknown}


def measure_tail(desk: Desk, portfolio_id: str, timeframe: str) -> TailState:
    """Work one portfolio's tail state out anew, with the returns of what it may trade.

    Raises NotFound, MissingRate.
    """
    limits = desk.risk.limits(portfolio_id)
    portfolio = desk.books.portfolio(portfolio_id)
    symbols = dict.fromkeys(_tradable(desk, portfolio, limits), limits.var_window)
    series = _measured(desk, symbols, timeframe)
    return _keep_tail(desk, portfolio, limits, series, timeframe)


def _tradable(desk: Desk, portfolio: Portfolio, limits: RiskLimits) -> list[str]:
    """The symbols that are held or that an order of the portfolio may be for."""
    held = {s for s, p in portfolio.positions.items() if p.quantity}
    named = limits.allowed_symbols or portfolio.account.policy.symbols
    return sorted(held | set(named or [i.symbol for i in desk.market.instruments()]))


def _measured(desk: Desk, windows: Mapping[str, int], timeframe: str) -> dict[str, ReturnSeries]:
    """Compute and keep symbols' returns over their windows of complete bars."""
    now = desk.wall_clock()
    found = {}
    for symbol, window in windows.items():
        complete = closed_candles(desk.market, symbol, timeframe, window + 1, now)
        found[symbol] = _series(symbol, complete[-window - 1 :], timeframe, now)
        desk.risk.put_returns(found[symbol])
    return found


def _series(symbol: str, candles: Sequence[Candle], timeframe: str, now: datetime) -> ReturnSeries:
    """Simple returns by the opening time of the bar that they were made in."""
    closes = [c.close for c in candles]
    returns = [(b / a - 1).quantize(_RETURN_SCALE) for a, b in pairwise(closes)]
    return ReturnSeries(
        symbol=symbol,
        timeframe=timeframe,
        as_of=now,
        times=tuple(_seconds(c.time) for c in candles[1:]),
        returns=tuple(returns),
        volatility=volatility_of(closes, PERIODS_PER_YEAR[timeframe]),
    )


def _keep_tail(
    desk: Desk,
    portfolio: Portfolio,
    limits: RiskLimits,
    series: Mapping[str, ReturnSeries],
    timeframe: str,
) -> TailState:
    """One profit or loss of the present holdings per bar that all of them share."""
    now = desk.books.now(portfolio.account)
    held = {s: p for s, p in portfolio.positions.items() if p.quantity}
    values = {s: portfolio.value_of(p) * portfolio.rate(p.currency) for s, p in held.items()}
    returns = {s: dict(zip(series[s].times, series[s].returns, strict=True)) for s in held}
    shared = sorted(_shared(returns.values()))[-limits.var_window :]
    times = [moment for moment in shared if moment < _seconds(now)]
    tail = TailState(
        portfolio_id=portfolio.account.portfolio_id,
        timeframe=timeframe,
        as_of=now,
        times=tuple(times),
        pnl=tuple(
            storable(sum((values[s] * returns[s][moment] for s in held), ZERO)) for moment in times
        ),
        quantities={s: p.quantity for s, p in held.items()},
    )
    desk.risk.put_tail(tail)
    return tail


def _shared(series: Iterable[Mapping[int, Decimal]]) -> set[int]:
    sets = [set(one) for one in series]
    return set.intersection(*sets) if sets else set()


def _seconds(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())


def portfolio_tail_risk(
    desk: Desk,
    portfolio: Portfolio,
    timeframe: str,
    window: int,
    confidence: float,
    horizon: int,
    method: VarMethod,
) -> tuple[TailRisk, int]:
    """Tail risk of the present holdings by historical simulation of their joint returns.

    Each of the last ``window`` bars that all held symbols share gives one profit of today's
    holdings in the base currency; shorts gain where longs lose. Returns the figures and how many
    bars there were. No holdings risk nothing. Raises InvalidInput when there are too few shared
    bars, MissingRate.
    """
    held = {
        symbol: portfolio.value_of(position) * portfolio.rate(position.currency)
        for symbol, position in portfolio.positions.items()
        if position.quantity
    }
    if not held:
        return TailRisk(Decimal(0), Decimal(0)), 0
    closes = {
        symbol: {
            c.time: c.close
            for c in desk.market.candles(symbol, timeframe, limit=window + 1, newest_first=True)
        }
        for symbol in held
    }
    shared = sorted(set.intersection(*(set(series) for series in closes.values())))
    if len(shared) - 1 < MIN_OBSERVATIONS:
        raise InvalidInput(
            "timeframe",
            f"the holdings share {max(0, len(shared) - 1)} {timeframe} returns,"
            f" {MIN_OBSERVATIONS} are needed",
        )
    profits = [0.0] * (len(shared) - 1)
    for symbol, value in held.items():
        returns = simple_returns([closes[symbol][moment] for moment in shared])
        profits = [p + float(value) * r for p, r in zip(profits, returns, strict=True)]
    return tail_risk(profits, confidence, horizon, method), len(profits)
