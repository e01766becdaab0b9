"""What a backtest came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from trading.domain.backtest import BacktestConfig, Gear
from trading.domain.ledger import LedgerTransaction
from trading.quant.simulation.fills import FillColumns

if TYPE_CHECKING:
    from trading.quant.strategies.strategy import FloatArray


@dataclass(frozen=True, eq=False)
class BacktestResult:
    """A run's curve, its fills and the books at its end.

    The columns have one entry per step of the market's time axis: ``time`` is when its bars close
    (seconds since 1970), ``equity``, ``cash``, ``gross`` (long plus short) and ``net`` (long less
    short) exposure are in the base currency as of then. ``gear`` is what ran,
    ``why_reference`` why the compiled one could not. ``rejected`` counts orders that risk refused,
    by rule. ``ledger`` is the reference gear's, whole.
    """

    config: BacktestConfig
    gear: Gear
    time: FloatArray
    equity: FloatArray
    cash: FloatArray
    gross: FloatArray
    net: FloatArray
    fills: FillColumns
    final_cash: Decimal
    final_positions: Mapping[str, Decimal]
    rejected: Mapping[str, int] = field(default_factory=dict)
    why_reference: str | None = None
    ledger: tuple[LedgerTransaction, ...] = ()
