"""What the portfolio service shows, computed from the books."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import takewhile

from trading.api.listing import page_of
from trading.desk import LiveDesk as Desk
from trading.domain.candle import Price
from trading.domain.currency import rate_symbols, rates_to
from trading.domain.equity import EquitySnapshot
from trading.domain.errors import Conflict, InvalidInput
from trading.domain.ledger import BrokenLedger, LedgerTransaction, rebuild
from trading.domain.money import ZERO
from trading.domain.performance import measure
from trading.domain.portfolio import Portfolio
from trading.domain.position import Position
from trading.domain.verification import Verification, unreadable, verified
from trading.schemas.policy import PolicyTerms
from trading.schemas.portfolio import (
    EquityPoint,
    FillTerms,
    LedgerPage,
    LedgerTransactionOut,
    LotOut,
    PerformanceOut,
    PortfolioOut,
    PositionOut,
    VerificationOut,
)
from trading.usecases.reconcile import compare_with_ledger

_TRIES = 3


def portfolio_view(
    desk: Desk, portfolio_id: str, as_of: datetime | None, timeframe: str
) -> PortfolioOut:
    """A portfolio now, or as the ledger and the candles say it stood at a past moment.

    Before it was opened it shows nothing. Raises NotFound, InvalidInput for a future moment,
    MissingRate where a currency cannot be counted in the base one.
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

    Prices and exchange rates are the newest known by then: the close of the newest candle that
    was complete, or the latest price if that is not later; a holding without one counts at cost.
    Resting orders are not in the ledger and count as none. Raises Conflict for a broken ledger.
    """
    account = portfolio.account
    # Workers' clocks differ a little, and a fill may be booked after its moment: the ledger's order
    # counts, and what stands after a later entry had not happened to the books either.
    try:
        ledger = desk.portfolios.ledger(account.portfolio_id)
        past = takewhile(lambda t: t.time <= as_of, ledger)
        derived = rebuild(past, account.cost_method)
    except BrokenLedger as error:
        raise Conflict(f"the ledger is broken: {error}") from error
    then = account.model_copy(
        update={
            "cash": derived.cash,
            "capital": derived.capital,
            "income": derived.income,
            "reserved": {},
            "open_orders": 0,
            "ledger_sequence": derived.sequence,
            "ledger_hash": derived.hash,
        }
    )
    base = account.base_currency
    held = derived.positions.values()
    foreign = sorted((then.currencies | {p.currency for p in held}) - {base})
    wanted = {p.symbol for p in held if p.quantity}
    wanted |= {symbol for currency in foreign for symbol in rate_symbols(currency, base)}
    prices = _prices_at(desk, sorted(wanted), as_of, timeframe) if wanted else {}
    return Portfolio(
        account=then,
        positions=derived.positions,
        prices=prices,
        rates=rates_to(prices, foreign, base),
    )


def _prices_at(
    desk: Desk, symbols: Sequence[str], as_of: datetime, timeframe: str
) -> dict[str, Price]:
    """The newest price of each symbol that was known at a moment; symbols without one lack."""
    latest = {price.symbol: price for price in desk.market.latest_prices(symbols)}
    prices = {}
    for symbol in symbols:
        price = latest.get(symbol)
        if price is not None and price.time > as_of:
            price = _close_at(desk, symbol, as_of, timeframe)
        if price is not None:
            prices[symbol] = price
    return prices


def _close_at(desk: Desk, symbol: str, as_of: datetime, timeframe: str) -> Price | None:
    """The close of the newest candle that was complete at a moment."""
    newest = desk.market.candles(symbol, timeframe, end=as_of, limit=2, newest_first=True)
    for candle in newest:
        if candle.close_time <= as_of:
            return Price(symbol=symbol, price=candle.close, time=candle.close_time, source="candle")
    return None


def _view(portfolio: Portfolio, moment: datetime) -> PortfolioOut:
    account, positions = portfolio.account, portfolio.positions.values()
    equity, value = portfolio.equity, portfolio.holdings_value
    capital = portfolio.in_base(account.capital)
    realized, unrealized, income, fees = (
        _in_base(portfolio, "realized_pnl"),
        value - _in_base(portfolio, "cost_basis"),
        portfolio.in_base(account.income),
        _in_base(portfolio, "fees"),
    )
    return PortfolioOut(
        portfolio_id=account.portfolio_id,
        base_currency=account.base_currency,
        mode=account.mode,
        clock=account.clock,
        as_of=moment,
        cash=account.cash,
        available_cash=account.available(account.base_currency),
        holdings_value=value,
        equity=equity,
        capital=capital,
        exposure=portfolio.gross_exposure,
        net_exposure=portfolio.net_exposure,
        realized_pnl=realized,
        unrealized_pnl=unrealized,
        income=income,
        fees=fees,
        other_pnl=equity - capital - (realized + unrealized + income - fees),
        total_pnl=equity - capital,
        rates=dict(portfolio.rates),
        open_orders=account.open_orders,
        positions=sum(1 for p in positions if p.quantity),
        trading_state=account.trading_state,
        commission_rate=account.commission_rate,
        margin=account.margin,
        cost_method=account.cost_method,
        borrow_rate=account.borrow_rate,
        fill_model=FillTerms.of(account.fill_model),
        policy=PolicyTerms.of(account.policy),
        ledger_sequence=account.ledger_sequence,
        ledger_hash=account.ledger_hash,
        created_at=account.created_at,
    )


def _in_base(portfolio: Portfolio, name: str) -> Decimal:
    """An amount of all positions, added up in the base currency."""
    amounts: dict[str, Decimal] = {}
    for position in portfolio.positions.values():
        before = amounts.get(position.currency, ZERO)
        amounts[position.currency] = before + getattr(position, name)
    return portfolio.in_base(amounts)


def position_views(portfolio: Portfolio) -> list[PositionOut]:
    """All holdings, by symbol, at the latest prices."""
    return [
        _position_view(position, portfolio.prices.get(symbol))
        for symbol, position in sorted(portfolio.positions.items())
    ]


def _position_view(position: Position, known: Price | None) -> PositionOut:
    price = known.price if known else None
    return PositionOut(
        symbol=position.symbol,
        currency=position.currency,
        quantity=position.quantity,
        average_cost=position.average_cost,
        cost_basis=position.cost_basis,
        price=price,
        price_time=known.time if known else None,
        market_value=None if price is None else position.market_value(price),
        unrealized_pnl=None if price is None else position.unrealized_pnl(price),
        realized_pnl=position.realized_pnl,
        income=position.income,
        fees=position.fees,
        reserved_quantity=position.reserved_quantity,
        cost_method=position.cost_method,
        lots=[LotOut(quantity=lot.quantity, cost=lot.cost) for lot in position.lots],
    )


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


def ledger_page(
    desk: Desk, portfolio_id: str, limit: int, cursor: str | None, *, everything: bool
) -> LedgerPage:
    """A page of the ledger, newest first, and the check of it, or of ``everything``.

    Everything is the whole chain, and account and positions as they follow from it. A ledger that
    cannot be read any more has an empty page that says so. Raises NotFound.
    """
    # The account is read first: the ledger may only have grown since.
    account = desk.books.account(portfolio_id)
    found: list[LedgerTransaction] = []

    def newest(count: int, before: str | None) -> list[tuple[str, LedgerTransaction]]:
        found[:] = desk.portfolios.ledger(
            portfolio_id, limit=count, before=before, newest_first=True
        )
        return [(_place(t.sequence), t) for t in found]

    try:
        shown, following = page_of(newest, limit, cursor)
        if everything:
            check = _everything(desk, portfolio_id)
        else:
            older = found[-1] if len(found) > len(shown) else None
            newer = _above(desk, portfolio_id, shown[0]) if cursor and shown else None
            known_to = desk.books.account(portfolio_id).ledger_sequence
            check = verified(shown[::-1], account, older, newer, known_to=known_to)
    except BrokenLedger as error:
        shown, following, check = [], None, unreadable(error)
    return LedgerPage(
        items=[LedgerTransactionOut.of(t) for t in shown],
        cursor=following,
        verification=VerificationOut(**check.model_dump()),
    )


def _everything(desk: Desk, pid: str) -> Verification:
    """The check of the whole ledger, and of the books against it. Raises BrokenLedger.

    Where the account moved between the readings, they are made again.
    """
    for _ in range(_TRIES):
        portfolio = desk.books.portfolio(pid)
        ledger = desk.portfolios.ledger(pid)
        check = verified(ledger, portfolio.account)
        wrong = compare_with_ledger(portfolio, ledger) if check.ok else []
        if not wrong or desk.books.account(pid).version == portfolio.account.version:
            break
    for d in wrong:
        said = f"{d.what}: stored is {d.stored or 'nothing'}, the ledger says"
        return check.model_copy(update={"ok": False, "problem": f"{said} {d.derived or 'nothing'}"})
    return check


def _above(desk: Desk, portfolio_id: str, shown: LedgerTransaction) -> LedgerTransaction | None:
    """The transaction after one, if there is any. Raises BrokenLedger."""
    (above,) = desk.portfolios.ledger(
        portfolio_id, limit=1, before=_place(shown.sequence + 2), newest_first=True
    )
    return above if above.sequence != shown.sequence else None


def _place(sequence: int) -> str:
    """A transaction's place in the list, as a cursor carries it."""
    return f"LEDGER#{sequence:012d}"
