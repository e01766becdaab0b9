"""Measures what the present holdings could lose."""

from __future__ import annotations

from decimal import Decimal

from trading.domain.errors import InvalidInput
from trading.domain.portfolio import Portfolio
from trading.ports import Desk
from trading.quant.statistics.returns import simple_returns
from trading.quant.statistics.value_at_risk import MIN_OBSERVATIONS, TailRisk, VarMethod, tail_risk


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
    holdings. Returns the figures and how many bars there were. No holdings risk nothing.
    Raises InvalidInput when there are too few shared bars.
    """
    held = {s: portfolio.value_of(p) for s, p in portfolio.positions.items() if p.quantity}
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
