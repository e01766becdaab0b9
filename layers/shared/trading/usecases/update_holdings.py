"""Moves money and units in, out and about, and charges what is owed."""

from __future__ import annotations

from datetime import datetime

from trading.domain.borrowing import accrued
from trading.domain.currency import rate_between, rate_symbols
from trading.domain.errors import Conflict, IdempotencyConflict, InvalidInput
from trading.domain.ledger import TransactionKind
from trading.domain.movement import HoldingsUpdate, moved
from trading.domain.portfolio import Account, Portfolio
from trading.domain.risk.stop import StopState
from trading.ports import Desk
from trading.usecases.retry import retried


def update_holdings(
    desk: Desk, portfolio_id: str, update: HoldingsUpdate, correlation_id: str
) -> Account:
    """Post one movement to the ledger, once per cause.

    A cause that was acted on before changes nothing. Raises NotFound, InvalidInput for what does
    not fit the books, Conflict for a split under resting orders or armed stops,
    IdempotencyConflict for a cause that asked for something else before, ConcurrentUpdate.
    """

    def once() -> Account:
        known = desk.books.acted_on(portfolio_id, update.cause)
        if known is not None:
            if known and known != update.fingerprint:
                raise IdempotencyConflict("this Idempotency-Key came with another body")
            return desk.books.account(portfolio_id)
        wanted = [c for c in (update.currency, update.to_currency) if c]
        portfolio = desk.books.portfolio(portfolio_id, *wanted)
        now = desk.books.now(portfolio.account)
        if update.kind is TransactionKind.CONVERSION and update.rate is None:
            _check_rates_are_fresh(desk, portfolio, wanted, now)
        if update.kind is TransactionKind.SPLIT:
            _check_no_stops(desk, portfolio_id, update.symbol)
        instrument = desk.market.get_instrument(update.symbol) if update.symbol else None
        change = moved(portfolio, update, instrument, now, desk.wall_clock(), correlation_id)
        desk.books.commit(change)
        assert change.account is not None
        return change.account

    return retried(once)


def _check_no_stops(desk: Desk, portfolio_id: str, symbol: str | None) -> None:
    """Raise Conflict while stops at prices of before would take a split for a fall."""
    for stop in desk.stops.of(portfolio_id):
        if stop.symbol == symbol and stop.state is StopState.ARMED:
            raise Conflict(f"stop '{stop.id}' on {symbol} stands at prices before the split")


def _check_rates_are_fresh(
    desk: Desk, portfolio: Portfolio, currencies: list[str], now: datetime
) -> None:
    """Raise InvalidInput if a rate is older than its symbol may be to trade on."""
    base = portfolio.account.base_currency
    for currency in currencies:
        if currency == base:
            continue
        prices = desk.market.latest_prices(list(rate_symbols(currency, base)))
        rate = rate_between({price.symbol: price for price in prices}, currency, base)
        instrument = desk.market.get_instrument(rate.symbol) if rate else None
        if rate and instrument and now - rate.time > instrument.max_price_age:
            age = int((now - rate.time).total_seconds())
            raise InvalidInput("rate", f"is needed: the price of {rate.symbol} is {age} s old")


def charge_borrowing(desk: Desk, portfolio_id: str) -> bool:
    """Charge the day's interest on what a portfolio owes, once a UTC day; True if it was charged.

    A day on which this does not run is not charged. Raises NotFound, MissingRate.
    """

    def once() -> bool:
        account = desk.books.account(portfolio_id)
        if not account.borrow_rate:
            return False
        portfolio = desk.books.portfolio(portfolio_id)
        change = accrued(portfolio, desk.books.now(portfolio.account), desk.wall_clock())
        if change is None or change.marker is None:
            return False
        if desk.books.acted_on(portfolio_id, change.marker) is not None:
            return False
        desk.books.commit(change)
        return True

    return retried(once)
