"""The tail of a portfolio's profits and losses, with an order added: value at risk, shortfall.

The heavy part, one profit or loss of the present holdings per past bar, is worked out beforehand
and stored. An order then only adds what it changes. The figures follow the same formulas as
``quant/statistics/value_at_risk.py``, in ``Decimal``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import Field

from trading.domain.money import ZERO
from trading.domain.portfolio import Portfolio
from trading.domain.value import Value

MIN_OBSERVATIONS = 30


class VarMethod(StrEnum):
    """How the tail is found."""

    HISTORICAL = "historical"
    PARAMETRIC = "parametric"
    CORNISH_FISHER = "cornish_fisher"


class ReturnSeries(Value):
    """A symbol's simple returns by the opening time of their bars, in seconds since 1970 (UTC).

    ``volatility`` is the annualised standard deviation of them, as a fraction; None where there
    are too few. ``as_of`` is when it was computed.
    """

    symbol: str
    timeframe: str
    as_of: datetime
    times: tuple[int, ...]
    returns: tuple[Decimal, ...]
    volatility: Decimal | None = None


class TailState(Value):
    """One profit or loss (base currency) of the holdings ``quantities`` per past bar.

    ``times`` are the bars' opening times in seconds since 1970 (UTC), ``as_of`` is when it was
    computed, on the portfolio's clock. ``returns`` are the series of the symbols that an order
    changes; they are read along with it and not stored in it.
    """

    portfolio_id: str
    timeframe: str
    as_of: datetime
    times: tuple[int, ...]
    pnl: tuple[Decimal, ...]
    quantities: Mapping[str, Decimal] = Field(default_factory=dict)
    returns: Mapping[str, ReturnSeries] = Field(default_factory=dict, exclude=True)

    def changed(self, portfolio: Portfolio) -> dict[str, Decimal]:
        """By how many units each holding differs from what the profits were computed for."""
        now = {s: p.quantity for s, p in portfolio.positions.items()}
        moved = {
            symbol: now.get(symbol, ZERO) - self.quantities.get(symbol, ZERO)
            for symbol in sorted({*now, *self.quantities})
        }
        return {symbol: units for symbol, units in moved.items() if units}

    def with_returns(self, series: Sequence[ReturnSeries]) -> TailState:
        """The state along with the series that an order needs."""
        return self.model_copy(update={"returns": {s.symbol: s for s in series}})
