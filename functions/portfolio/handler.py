"""Entry points of the portfolio service: HTTPS and the equity snapshot."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from portfolio import allocation, routes
from trading import bootstrap, checks
from trading.api.app import MetricFamily, create_app, lambda_entry
from trading.desk import desk
from trading.domain.errors import MissingRate
from trading.settings import settings
from trading.telemetry import logger, observed
from trading.usecases.manage_portfolio import snapshot_all


def _metrics() -> Iterable[MetricFamily]:
    """Equity, cash and exposure of every portfolio at the latest prices."""
    equity = MetricFamily("trading_equity", "Equity by portfolio, in its base currency.")
    cash = MetricFamily("trading_cash", "Cash by portfolio and currency.")
    exposure = MetricFamily("trading_exposure", "Long plus short holdings by portfolio.")
    for portfolio_id in desk().portfolios.ids():
        portfolio = desk().books.portfolio(portfolio_id)
        currency = portfolio.account.base_currency
        try:
            equity.add(portfolio.equity, portfolio=portfolio_id, currency=currency)
            exposure.add(portfolio.gross_exposure, portfolio=portfolio_id, currency=currency)
        except MissingRate as error:
            logger.warning("not valued", extra={"portfolio": portfolio_id, "why": error.detail})
        for held, amount in portfolio.account.cash.items():
            cash.add(amount, portfolio=portfolio_id, currency=held)
    return [equity, cash, exposure]


app = create_app(
    "portfolio",
    "Portfolios",
    routes.router,
    allocation.router,
    prefix="/portfolio",
    checks={
        "portfolio_table": checks.table(lambda: settings().portfolio_table),
        "market_table": checks.table(lambda: settings().market_table),
    },
    metrics=_metrics,
    trail=bootstrap.audit_trail,
)
api = lambda_entry(app)


@observed
def on_schedule(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Charge the day's borrow costs and keep an equity snapshot of portfolios.

    Event: ``{"portfolio_ids": ["main"]}``, or ``{}`` for every portfolio. Answers how many were
    recorded and how many of those named do not exist; where there are any, also how many were
    charged, and how many could not be valued for want of an exchange rate.
    """
    counts = snapshot_all(desk(), event.get("portfolio_ids"))
    logger.info("equity recorded", extra={"counts": counts})
    return counts
