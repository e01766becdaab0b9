"""Entry points of the risk service: HTTPS and the stop manager."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from risk.routes import router
from trading import bootstrap, checks, measures
from trading.adapters.dynamodb.price_stream import read_prices
from trading.api.app import MetricFamily, create_app, lambda_entry
from trading.desk import desk
from trading.domain.portfolio import TradingState
from trading.settings import settings
from trading.telemetry import correlation_id, logger, observed
from trading.usecases.measure_tail_risk import measure_tails
from trading.usecases.monitor_risk import record_exposures, watch_holders, watch_losses
from trading.usecases.run_stops import run_stops, run_stops_on
from trading.usecases.watch_figures import Figures, drawdown_of


def _metrics() -> Iterable[MetricFamily]:
    """Trading state, orders of the day and drawdown by portfolio."""
    state = MetricFamily("trading_active", "1 where the portfolio trades, 0 where it is halted.")
    trades = MetricFamily("trading_orders_today", "Orders accepted on the portfolio's day.")
    falls = MetricFamily(
        "trading_drawdown_percent", "How far equity is below its peak, where a limit watches it."
    )
    for portfolio_id in desk().portfolios.ids():
        marks = desk().risk.marks(portfolio_id)
        if marks is None:
            account = desk().books.account(portfolio_id)
        else:
            # Only equity needs all positions with their prices.
            portfolio = desk().books.portfolio(portfolio_id)
            account, fall = portfolio.account, drawdown_of(marks, portfolio)
            if fall is not None:
                falls.add(fall, portfolio=portfolio_id)
        active = account.trading_state is TradingState.ACTIVE
        state.add(int(active), portfolio=portfolio_id, state=account.trading_state.value)
        day = desk().books.now(account).date()
        trades.add(desk().books.trades_on(portfolio_id, day), portfolio=portfolio_id)
    return [state, trades, falls]


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
    trail=bootstrap.audit_trail,
)
api = lambda_entry(app)


@observed
def on_schedule(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Show every armed stop the market, and trip portfolios that have lost too much.

    Event: ``{"portfolio_ids": ["main"]}``, or ``{}`` for every portfolio. Answers how many stops
    were armed, how many of them went off, how many exits that made; how many portfolios had their
    losses watched and how many tripped, and how many are unknown.
    """
    wanted = event.get("portfolio_ids")
    try:
        stops = run_stops(desk(), wanted, correlation_id())
    finally:
        losses = watch_losses(desk(), wanted)
    counts = {**losses, **stops}
    logger.info("stops run, losses watched", extra={"counts": counts})
    return counts


@observed
def on_prices(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Show the stops on a symbol each new price of it, and trip holders that lost too much.

    Event: a batch of the market table's stream. What fails is tried again a few times; the
    schedule looks at everything once more. Answers how many stops were armed, went off, and made
    an exit, how many portfolios were watched and tripped, and how many records were unreadable.
    """
    prices, unreadable = read_prices(event["Records"])
    try:
        stops = run_stops_on(desk(), prices, correlation_id())
    finally:
        losses = watch_holders(desk(), sorted({price.symbol for price in prices}))
    counts = {**losses, **stops, "unreadable": unreadable}
    logger.info("prices shown to stops, losses watched", extra={"counts": counts})
    return counts


@observed
def on_measure(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Keep the exposure of portfolios, and what value at risk of their orders is judged on.

    Event: ``{"portfolio_ids": ["main"]}``, or ``{}`` for every portfolio. Answers how many
    exposures were recorded, how many tails and symbols' returns were measured, how many portfolios
    are unknown, and how many symbols that are held or promised have a price that is too old.
    """
    wanted = event.get("portfolio_ids")
    figures = Figures(desk())
    # What fails for one portfolio is raised when all had their turn, and keeps nothing else back.
    try:
        tails = measure_tails(desk(), wanted, settings().timeframe)
    finally:
        try:
            exposures = record_exposures(desk(), wanted, figures.look)
        finally:
            _measure(figures)
    counts = {**tails, **exposures, "stale_prices": figures.stale}
    logger.info("risk measured", extra={"counts": counts})
    return counts


def _measure(figures: Figures) -> None:
    """Write what alarms are raised on.

    A metric costs for the hours in which it is written; nothing is written where all is well.
    """
    if figures.stale:
        measures.count("StalePrices", figures.stale)
    if figures.drawdown:
        measures.measure("Drawdown", "Percent", float(figures.drawdown))
