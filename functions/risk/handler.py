"""Entry points of the risk service: HTTPS and the stop manager."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from risk.routes import router
from trading import checks
from trading.adapters.dynamodb.price_stream import read_prices
from trading.api.app import MetricFamily, create_app, lambda_entry
from trading.desk import desk
from trading.domain.portfolio import TradingState
from trading.settings import settings
from trading.telemetry import begin_scheduled, correlation_id, logger
from trading.usecases.run_stops import run_stops, run_stops_on


def _metrics() -> Iterable[MetricFamily]:
    """Trading state and orders of the day by portfolio."""
    state = MetricFamily("trading_active", "1 where the portfolio trades, 0 where it is halted.")
    trades = MetricFamily("trading_orders_today", "Orders accepted on the portfolio's day.")
    for portfolio_id in desk().portfolios.ids():
        account = desk().books.account(portfolio_id)
        active = account.trading_state is TradingState.ACTIVE
        state.add(int(active), portfolio=portfolio_id, state=account.trading_state.value)
        day = desk().books.now(account).date()
        trades.add(desk().books.trades_on(portfolio_id, day), portfolio=portfolio_id)
    return [state, trades]


app = create_app(
    "risk",
    "Risk",
    router,
    prefix="/risk",
    checks={
        "risk_table": checks.table(lambda: settings().risk_table),
        "portfolio_table": checks.table(lambda: settings().portfolio_table),
    },
    metrics=_metrics,
)
api = lambda_entry(app)


def on_schedule(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Show every armed stop the market; those that go off send one exit each.

    Event: ``{"portfolio_ids": ["main"]}``, or ``{}`` for every portfolio. Answers how many were
    armed, how many of them went off, how many exits that made, and how many portfolios are unknown.
    """
    begin_scheduled(event)
    counts = run_stops(desk(), event.get("portfolio_ids"), correlation_id())
    logger.info("stops run", extra={"counts": counts})
    return counts


def on_prices(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Show the stops on a symbol each new price of it.

    Event: a batch of the market table's stream. What fails is tried again a few times; the
    schedule looks at everything once more. Answers how many stops were armed, went off, and made
    an exit, and how many records could not be read.
    """
    begin_scheduled({})
    prices, unreadable = read_prices(event["Records"])
    counts = run_stops_on(desk(), prices, correlation_id())
    counts["unreadable"] = unreadable
    logger.info("prices shown to stops", extra={"counts": counts})
    return counts
