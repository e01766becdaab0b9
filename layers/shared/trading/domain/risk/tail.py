"""The tail of a portfolio's profits and losses with an order added.

The heavy part, one profit or loss of the present holdings per past bar, is worked out beforehand
and stored; an order then only adds what it changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from pydantic import Field

from trading.domain.money import ZERO
from trading.domain.portfolio import Portfolio
from trading.domain.risk.limits import RiskLimits
from trading.domain.risk.tail_figures import (
    MIN_OBSERVATIONS,
    TailFigures,
    VarMethod,
    tail_figures,
)
from trading.domain.time import timeframe_length
from trading.domain.value import Value

__all__ = [
    "MIN_OBSERVATIONS",
    "ReturnSeries",
    "TailFigures",
    "TailState",
    "TailUnknown",
    "VarMethod",
]

MAX_AGE_BARS = 3
MIN_MAX_AGE = timedelta(days=1)
_REMEDY = "the risk schedule computes it, and POST /risk/{}/var/refresh at once"


class TailUnknown(Exception):
    """The tail cannot be told from what is stored; says what is missing and where it comes from."""


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

    def profits(self, added: Mapping[str, Decimal]) -> list[Decimal]:
        """One profit per bar with holdings worth ``added`` more (by symbol, base currency).

        Only bars that the state and every added symbol share count. No holdings at all have none.
        Raises TailUnknown for a symbol without returns of this timeframe, or too few shared bars.
        """
        total = dict(zip(self.times, self.pnl, strict=True)) if self.quantities else None
        for symbol, value in added.items():
            series = self.returns.get(symbol)
            if series is None or series.timeframe != self.timeframe:
                raise TailUnknown(f"{symbol} has no stored {self.timeframe} returns")
            own = dict(zip(series.times, series.returns, strict=True))
            before = dict.fromkeys(own, ZERO) if total is None else total
            total = {t: p + value * own[t] for t, p in before.items() if t in own}
        if total is None:
            return []
        if len(total) < MIN_OBSERVATIONS:
            raise TailUnknown(
                f"the holdings with the order share {len(total)} {self.timeframe} returns of"
                f" {MIN_OBSERVATIONS} needed"
            )
        return list(total.values())


def tail_with_order(
    state: TailState | None,
    portfolio: Portfolio,
    symbol: str,
    value: Decimal,
    now: datetime,
    limits: RiskLimits,
) -> TailFigures:
    """Value at risk and shortfall once ``value`` more of ``symbol`` is held (base currency).

    Of a sale the value is negative. Holdings that changed since the state was computed count as
    they are now. Raises TailUnknown where what is stored does not tell, MissingRate.
    """
    pid = portfolio.account.portfolio_id
    if state is None:
        raise TailUnknown(f"the tail state of '{pid}' was never computed: {_REMEDY.format(pid)}")
    most = max(MIN_MAX_AGE, MAX_AGE_BARS * timeframe_length(state.timeframe))
    if now - state.as_of > most:
        raise TailUnknown(f"the tail state of '{pid}' is older than {most}: {_REMEDY.format(pid)}")
    added = {s: _worth(portfolio, s, units) for s, units in state.changed(portfolio).items()}
    added[symbol] = added.get(symbol, ZERO) + value
    try:
        profits = state.profits({s: worth for s, worth in added.items() if worth})
    except TailUnknown as error:
        raise TailUnknown(f"{error}: post candles; {_REMEDY.format(pid)}") from error
    if not profits:
        return TailFigures(ZERO, ZERO)
    return tail_figures(profits, limits.var_confidence, limits.var_horizon_bars, limits.var_method)


def _worth(portfolio: Portfolio, symbol: str, units: Decimal) -> Decimal:
    """Present value of units of a holding in the base currency. Raises TailUnknown, MissingRate."""
    held, price = portfolio.positions.get(symbol), portfolio.prices.get(symbol)
    if held is None or price is None:
        raise TailUnknown(f"{symbol} has no price to value its change by")
    return units * price.price * portfolio.rate(held.currency)
