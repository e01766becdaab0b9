"""What a portfolio is worth at a moment, kept so that performance can be measured."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from trading.domain.money import storable
from trading.domain.portfolio import Portfolio
from trading.domain.value import Value


class EquitySnapshot(Value):
    """A portfolio's worth at one moment, all currencies counted in its base currency.

    ``capital`` is what the owner had put in by then, net; its changes are the flows that returns
    leave out. As a snapshot is kept with every such flow, right after it, each flow is dated
    exactly, and equity right before it is known.
    """

    portfolio_id: str
    time: datetime
    equity: Decimal
    cash: Decimal
    holdings_value: Decimal
    capital: Decimal


def take_snapshot(portfolio: Portfolio, now: datetime) -> EquitySnapshot:
    """Value a portfolio as it stands. Raises MissingRate."""
    account = portfolio.account
    return EquitySnapshot(
        portfolio_id=account.portfolio_id,
        time=now,
        equity=storable(portfolio.equity),
        cash=storable(portfolio.in_base(account.cash)),
        holdings_value=storable(portfolio.holdings_value),
        capital=storable(portfolio.in_base(account.capital)),
    )
