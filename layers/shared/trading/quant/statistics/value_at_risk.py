"""Value at risk and expected shortfall of profits and losses that are known as floats."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

from trading.domain.risk.tail import MIN_OBSERVATIONS, VarMethod
from trading.domain.risk.tail_figures import TailFigures, tail_figures

__all__ = ["MIN_OBSERVATIONS", "TailRisk", "VarMethod", "tail_risk"]

TailRisk = TailFigures
_STEP = Decimal("1e-8")


def tail_risk(
    profits: Sequence[float], confidence: float, horizon: int, method: VarMethod
) -> TailRisk:
    """Measure the tail of one-bar ``profits`` over ``horizon`` bars, to eight decimals.

    The formulas, and their sources, are those of ``tail_figures``, by which orders are judged.
    Raises ValueError for fewer than ``MIN_OBSERVATIONS`` profits.
    """
    exact = [Decimal(repr(float(profit))) for profit in profits]
    figures = tail_figures(exact, Decimal(repr(confidence)), horizon, method)
    return TailRisk(*(figure.quantize(_STEP, ROUND_HALF_EVEN) for figure in figures))
