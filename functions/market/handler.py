"""Entry points of the market service: HTTPS and the candle fetch."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from market.routes import router
from trading import bootstrap, checks
from trading.adapters.venues.ccxt_candles import CcxtCandles
from trading.api.app import CheckResult, MetricFamily, create_app, lambda_entry
from trading.desk import desk
from trading.settings import settings
from trading.telemetry import logger, observed
from trading.usecases.fetch_candles import fetch_candles
from trading.usecases.watch_list import symbols_to_watch

CANDLES_BODY_LIMIT = 5 * 1024 * 1024


def _age_check() -> CheckResult:
    """Tell how old the newest price is; no price yet is no fault of the service."""
    newest = desk().market.clock()
    if newest is None:
        return CheckResult(True, "no price yet")
    age = int((bootstrap.wall_clock() - newest).total_seconds())
    return CheckResult(True, f"the newest price is {age} s old")


def _metrics() -> Iterable[MetricFamily]:
    """Age of every symbol's price, and how many instruments there are."""
    now = bootstrap.wall_clock()
    ages = MetricFamily("trading_price_age_seconds", "Age of the latest price by symbol.")
    for price in desk().market.latest_prices():
        ages.add(int((now - price.time).total_seconds()), symbol=price.symbol)
    count = MetricFamily("trading_instruments", "Registered instruments.")
    return [ages, count.add(len(desk().market.instruments()))]


app = create_app(
    "market",
    "Market data",
    router,
    prefix="/market",
    checks={
        "market_table": checks.table(lambda: settings().market_table),
        "newest_price": _age_check,
    },
    metrics=_metrics,
    trail=bootstrap.audit_trail,
    body_limits={"POST /market/candles": CANDLES_BODY_LIMIT},
)
api = lambda_entry(app)


@observed
def on_schedule(event: dict[str, Any], context: Any) -> dict[str, object]:
    """Fetch the closed candles that are missing, from each instrument's venue.

    Event: ``{"symbols": ["BTC-USDT"], "timeframe": "1h"}``; what is left out is as configured.
    Answers how many candles were created, unchanged and replaced, and errors by symbol.
    """
    result = fetch_candles(
        desk().market,
        # One client per venue and run: it keeps to the venue's rate, and reads its markets once.
        cache(CcxtCandles),
        symbols_to_watch(event.get("symbols"), settings().watch_list, desk().market),
        event.get("timeframe") or settings().timeframe,
        bootstrap.wall_clock(),
    )
    logger.info("candles fetched", extra={"result": result})
    return result
