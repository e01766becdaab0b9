"""Works out the figures that alarms are raised on, whatever limits a portfolio has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from trading.domain.errors import MissingRate
from trading.domain.instrument import Instrument
from trading.domain.money import ZERO
from trading.domain.portfolio import Portfolio
from trading.ports import Desk
from trading.usecases.each import each_portfolio


@dataclass
class Figures:
    """``stale`` symbols are held or promised, at a price older than their instrument allows.

    ``drawdown`` is the greatest of all watched portfolios, in percent of the peak.
    """

    stale: int = 0
    drawdown: Decimal = ZERO


def watch_figures(desk: Desk, portfolio_ids: Sequence[str] | None) -> Figures:
    """Look at portfolios (None: all). Raises the first failure after all had their turn."""
    figures = Figures()
    stale: set[str] = set()
    instruments = {i.symbol: i for i in desk.market.instruments()}

    def act(portfolio_id: str) -> None:
        portfolio = desk.books.portfolio(portfolio_id)
        now = desk.books.now(portfolio.account)
        stale.update(stale_symbols(portfolio, instruments, now))
        fall = drawdown_of(desk, portfolio)
        figures.drawdown = max(figures.drawdown, fall or ZERO)

    each_portfolio(desk, portfolio_ids, act)
    figures.stale = len(stale)
    return figures


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


def drawdown_of(desk: Desk, portfolio: Portfolio) -> Decimal | None:
    """How far equity is below its peak, in percent.

    None where no peak is kept because no limit needs it, or where equity cannot be valued.
    """
    marks = desk.risk.marks(portfolio.account.portfolio_id)
    if marks is None:
        return None
    try:
        return marks.drawdown_percent(portfolio.equity)
    except MissingRate:
        return None
