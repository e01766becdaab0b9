"""What the portfolio service shows, computed from the books."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import takewhile

from trading.domain.candle import Price
from trading.domain.equity import EquitySnapshot, measure
from trading.domain.errors import InvalidInput
from trading.domain.ledger import rebuild
from trading.domain.money import ZERO
from trading.domain.portfolio import Portfolio
from trading.ports import Desk
from trading.schemas.portfolio import EquityPoint, PerformanceOut, PortfolioOut, PositionOut


def portfolio_view(
    desk: Desk, portfolio_id: str, as_of: datetime | None, timeframe: str
) -> PortfolioOut:
    """A portfolio now, or as the ledger and the candles say it stood at a past moment.

    Before it was opened it shows nothing. Raises NotFound, InvalidInput for a future moment.
    """
    portfolio = desk.books.portfolio(portfolio_id)
    now = desk.books.now(portfolio.account)
    if as_of is not None:
        if as_of > max(now, desk.wall_clock()):
            raise InvalidInput("as_of", "must not lie in the future")
        portfolio = past_portfolio(desk, portfolio, as_of, timeframe)
    return _view(portfolio, as_of or now)


def past_portfolio(desk: Desk, portfolio: Portfolio, as_of: datetime, timeframe: str) -> Portfolio:
    """Rebuild a portfolio from the part of its ledger up to ``as_of``, at the prices of then.

    Prices are the closes of the newest candles complete by then; a holding without one counts at
    cost. Resting orders are not in the ledger and count as none.
    """
    account = portfolio.account
    # Workers' clocks differ a little: the ledger's order counts, and what stands after a later
    # entry had not happened either.
    ledger = desk.portfolios.ledger(account.portfolio_id)
    past = list(takewhile(lambda t: t.time <= as_of, ledger))
    derived = rebuild(past)
    then = account.model_copy(
        update={
            "cash": derived.cash,
            "capital": derived.capital,
            "reserved": {},
            "open_orders": 0,
            "ledger_sequence": derived.sequence,
            "ledger_hash": derived.hash,
        }
    )
    prices = {}
    for symbol, position in derived.positions.items():
        price = _price_at(desk, symbol, as_of, timeframe) if position.quantity else None
        if price is not None:
            prices[symbol] = price
    return Portfolio(account=then, positions=derived.positions, prices=prices)


def _price_at(desk: Desk, symbol: str, as_of: datetime, timeframe: str) -> Price | None:
    """The close of the newest candle that was complete at a moment."""
    newest = desk.market.candles(symbol, timeframe, end=as_of, limit=2, newest_first=True)
    for candle in newest:
        if candle.close_time <= as_of:
            return Price(symbol=symbol, price=candle.close, time=candle.close_time, source="candle")
    return None


def _view(portfolio: Portfolio, moment: datetime) -> PortfolioOut:
    account, currency = portfolio.account, portfolio.account.base_currency
    positions = [p for p in portfolio.positions.values() if p.currency == currency]
    equity = portfolio.equity
    capital = account.capital.get(currency, ZERO)
    cost = sum((p.cost_basis for p in positions), ZERO)
    return PortfolioOut(
        portfolio_id=account.portfolio_id,
        base_currency=currency,
        mode=account.mode,
        clock=account.clock,
        as_of=moment,
        cash=account.cash,
        available_cash=account.available(currency),
        holdings_value=portfolio.holdings_value,
        equity=equity,
        capital=capital,
        exposure=sum((abs(portfolio.value_of(p)) for p in positions), ZERO),
        realized_pnl=sum((p.realized_pnl for p in positions), ZERO),
        unrealized_pnl=portfolio.holdings_value - cost,
        fees=sum((p.fees for p in positions), ZERO),
        total_pnl=equity - capital,
        open_orders=account.open_orders,
        positions=sum(1 for p in positions if p.quantity),
        trading_state=account.trading_state,
        commission_rate=account.commission_rate,
        policy=account.policy,
        ledger_sequence=account.ledger_sequence,
        ledger_hash=account.ledger_hash,
        created_at=account.created_at,
    )


def position_views(portfolio: Portfolio) -> list[PositionOut]:
    """All holdings, by symbol, at the latest prices."""
    views = []
    for symbol, position in sorted(portfolio.positions.items()):
        known = portfolio.prices.get(symbol)
        price: Decimal | None = known.price if known else None
        views.append(
            PositionOut(
                symbol=symbol,
                currency=position.currency,
                quantity=position.quantity,
                average_cost=position.average_cost,
                cost_basis=position.cost_basis,
                price=price,
                price_time=known.time if known else None,
                market_value=None if price is None else position.market_value(price),
                unrealized_pnl=None if price is None else position.unrealized_pnl(price),
                realized_pnl=position.realized_pnl,
                fees=position.fees,
                reserved_quantity=position.reserved_quantity,
            )
        )
    return views


def performance_view(portfolio_id: str, snapshots: Sequence[EquitySnapshot]) -> PerformanceOut:
    """Figures over equity snapshots, with the snapshots themselves."""
    return PerformanceOut(
        portfolio_id=portfolio_id,
        **measure(snapshots).model_dump(),
        equity=[
            EquityPoint(time=s.time, equity=s.equity, cash=s.cash, capital=s.capital)
            for s in snapshots
        ],
    )
