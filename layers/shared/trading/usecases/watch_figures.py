"""Works out the figures that alarms are raised on, whatever limits a portfolio has."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from trading.domain.errors import MissingRate
from trading.domain.instrument import Instrument
from trading.domain.money import ZERO
from trading.domain.portfolio import Portfolio
from trading.domain.risk.equity_marks import EquityMarks
from trading.ports import Desk


class Figures:
    """The figures of the portfolios that were looked at."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._instruments = {i.symbol: i for i in desk.market.instruments()}
        self._stale: set[str] = set()
        self.drawdown = ZERO
        """The greatest of all watched portfolios, in percent of the peak."""

    @property
    def stale(self) -> int:
        """How many symbols are held or promised at a price older than their instrument allows."""
        return len(self._stale)

    def look(self, portfolio: Portfolio, now: datetime) -> None:
        """Take in a portfolio as it was read at ``now``, on its clock."""
        self._stale.update(stale_symbols(portfolio, self._instruments, now))
        marks = self._desk.risk.marks(portfolio.account.portfolio_id)
        if marks is not None:
            self.drawdown = max(self.drawdown, drawdown_of(marks, portfolio) or ZERO)


def stale_symbols(
    portfolio: Portfolio, instruments: dict[str, Instrument], now: datetime
) -> list[str]:
    """Symbols held or promised whose price is missing or too old at ``now``."""
    found = []
    for symbol, position in portfolio.positions.items():
        instrument, price = instruments.get(symbol), portfolio.prices.get(symbol)
        if instrument is None or not (position.quantity or position.reserved_notional):
            continue
        longest = timedelta(seconds=instrument.max_price_age_seconds)
        if price is None or now - price.time > longest:
            found.append(symbol)
    return found


def drawdown_of(marks: EquityMarks, portfolio: Portfolio) -> Decimal | None:
    """How far equity is below its peak, in percent; None where equity cannot be valued."""
    try:
        return marks.drawdown_percent(portfolio.equity)
    except MissingRate:
        return None
