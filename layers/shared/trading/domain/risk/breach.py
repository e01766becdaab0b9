"""When losses trip the trading state, and how far."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from trading.domain.money import average, plain
from trading.domain.portfolio import TradingState
from trading.domain.risk.equity_marks import EquityMarks
from trading.domain.risk.limits import RiskLimits

_SHOWN = Decimal("0.01")
_TIGHTNESS = {TradingState.ACTIVE: 0, TradingState.REDUCING: 1, TradingState.HALTED: 2}


def breach(limits: RiskLimits, marks: EquityMarks, equity: Decimal, currency: str) -> str | None:
    """The sentence on the first loss limit that ``equity`` breaks, with its figures; None if none.

    ``marks`` have seen this equity already; ``currency`` is what equity is counted in.
    """
    lost = marks.daily_loss(equity)
    percent = average(lost * 100, marks.day_open)
    fall = marks.drawdown_percent(equity)
    for what, value, limit, unit in (
        ("daily loss", lost, limits.max_daily_loss, currency),
        ("daily loss", percent, limits.max_daily_loss_percent, "%"),
        ("drawdown", fall, limits.max_drawdown_percent, "%"),
    ):
        if limit is not None and value > limit:
            shown = max(value.quantize(_SHOWN, ROUND_HALF_UP), limit)
            return f"{what} {plain(shown)} {unit} is over the limit of {plain(limit)} {unit}"
    return None


def tighter(wanted: TradingState, present: TradingState) -> bool:
    """Whether ``wanted`` lets less through than ``present``."""
    return _TIGHTNESS[wanted] > _TIGHTNESS[present]
