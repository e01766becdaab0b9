"""Opens portfolios, moves money in and out, corrects, values and checks the books."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from trading.domain.books import BookChange, Posting, post
from trading.domain.equity import EquitySnapshot, take_snapshot
from trading.domain.errors import Conflict, InvalidInput, NotFound
from trading.domain.ledger import (
    LedgerTransaction,
    TransactionKind,
    apply_to_position,
    cash_entries,
    correction_entries,
)
from trading.domain.money import ZERO, average, plain
from trading.domain.portfolio import Account, AllocationPolicy, Clock, Mode, Portfolio
from trading.domain.position import Position
from trading.ports import Desk
from trading.usecases.retry import retried


@dataclass(frozen=True)
class PortfolioTerms:
    """What a portfolio is opened with; ``cash`` by currency is deposited at once."""

    base_currency: str
    mode: Mode
    clock: Clock
    commission_rate: Decimal
    policy: AllocationPolicy
    cash: Mapping[str, Decimal]


def put_portfolio(
    desk: Desk, portfolio_id: str, terms: PortfolioTerms, correlation_id: str
) -> tuple[Account, bool]:
    """Open a portfolio (True), or change the commission and policy of an open one (False).

    Raises Conflict when currency, mode, clock or opening cash differ from those it was opened
    with: those are facts, and money moves through the ledger only.
    """
    return retried(lambda: _put_once(desk, portfolio_id, terms, correlation_id))


def _put_once(
    desk: Desk, portfolio_id: str, terms: PortfolioTerms, correlation_id: str
) -> tuple[Account, bool]:
    existing = desk.portfolios.find(portfolio_id)
    if existing is None:
        account, transactions = _opened(desk, portfolio_id, terms, correlation_id)
        desk.portfolios.open(account, transactions)
        return account, True
    _check_unchanged(existing, terms)
    wanted = {"commission_rate": terms.commission_rate, "policy": terms.policy}
    changed = existing.model_copy(update={**wanted, "updated_at": desk.wall_clock()})
    if changed.model_dump(include=set(wanted)) == existing.model_dump(include=set(wanted)):
        return existing, False
    desk.books.commit(BookChange(before=existing, account=changed))
    return changed, False


def _opened(
    desk: Desk, portfolio_id: str, terms: PortfolioTerms, correlation_id: str
) -> tuple[Account, list[LedgerTransaction]]:
    """A new account with its opening deposits posted."""
    wall = desk.wall_clock()
    account = Account(
        portfolio_id=portfolio_id,
        base_currency=terms.base_currency,
        mode=terms.mode,
        clock=terms.clock,
        commission_rate=terms.commission_rate,
        policy=terms.policy,
        opening_cash={c: a for c, a in terms.cash.items() if a},
        created_at=wall,
        updated_at=wall,
    )
    now = desk.books.now(account)
    transactions = []
    for currency, amount in sorted(account.opening_cash.items()):
        posting = Posting(
            kind=TransactionKind.DEPOSIT,
            cause=f"opening:{currency}",
            entries=cash_entries(currency, amount),
            currency=currency,
            time=now,
            recorded_at=wall,
            correlation_id=correlation_id,
        )
        account, transaction = post(account, posting)
        transactions.append(transaction)
    return account, transactions


def _check_unchanged(existing: Account, terms: PortfolioTerms) -> None:
    """Raise Conflict if a fact of the open portfolio is to be another."""
    facts: dict[str, tuple[object, object]] = {
        "base_currency": (existing.base_currency, terms.base_currency),
        "mode": (existing.mode.value, terms.mode.value),
        "clock": (existing.clock.value, terms.clock.value),
    }
    for name, (is_now, wanted) in facts.items():
        if is_now != wanted:
            raise Conflict(f"{name} of '{existing.portfolio_id}' is {is_now} and cannot change")
    if terms.cash and {c: a for c, a in terms.cash.items() if a} != existing.opening_cash:
        raise Conflict(
            f"'{existing.portfolio_id}' is open; move cash with"
            f" POST /portfolio/{existing.portfolio_id}/holdings/update"
        )


@dataclass(frozen=True)
class HoldingsUpdate:
    """One movement: a deposit or withdrawal of ``amount``, or a correction.

    A correction changes cash by ``amount``, or the holding of ``symbol`` by ``quantity`` units
    that cost ``unit_cost`` each; both may be negative.
    """

    kind: TransactionKind
    cause: str
    currency: str
    amount: Decimal = ZERO
    symbol: str | None = None
    quantity: Decimal = ZERO
    unit_cost: Decimal | None = None
    note: str | None = None


def update_holdings(
    desk: Desk, portfolio_id: str, update: HoldingsUpdate, correlation_id: str
) -> Account:
    """Post one movement to the ledger, once per cause.

    A cause that was acted on before changes nothing. Raises NotFound, InvalidInput when more is
    taken than is free, ConcurrentUpdate.
    """

    def once() -> Account:
        if desk.books.acted_on(portfolio_id, update.cause):
            return desk.books.account(portfolio_id)
        portfolio = desk.books.portfolio(portfolio_id)
        change = _movement(desk, portfolio, update, correlation_id)
        desk.books.commit(change)
        assert change.account is not None
        return change.account

    return retried(once)


def _movement(
    desk: Desk, portfolio: Portfolio, update: HoldingsUpdate, correlation_id: str
) -> BookChange:
    account = portfolio.account
    amount = -update.amount if update.kind is TransactionKind.WITHDRAWAL else update.amount
    if amount < ZERO and -amount > account.available(update.currency):
        free = plain(account.available(update.currency))
        raise InvalidInput("amount", f"only {free} {update.currency} are free to take out")
    position = _held(desk, portfolio, update) if update.symbol else None
    cost = _cost(position, update) if position else ZERO
    correction = update.kind is TransactionKind.CORRECTION
    entries = (
        correction_entries(update.currency, amount, update.symbol, update.quantity, cost)
        if correction
        else cash_entries(update.currency, amount)
    )
    posting = Posting(
        kind=update.kind,
        cause=update.cause,
        entries=entries,
        currency=update.currency,
        symbol=update.symbol,
        note=update.note,
        time=desk.books.now(account),
        recorded_at=desk.wall_clock(),
        correlation_id=correlation_id,
    )
    after, transaction = post(account, posting)
    return BookChange(
        before=account,
        account=after,
        position=apply_to_position(position, transaction) if position else None,
        transaction=transaction,
        marker=update.cause,
    )


def _held(desk: Desk, portfolio: Portfolio, update: HoldingsUpdate) -> Position:
    """The holding to correct. Raises InvalidInput if the correction does not fit it."""
    assert update.symbol is not None
    instrument = desk.market.get_instrument(update.symbol)
    if instrument is None:
        raise InvalidInput("symbol", f"there is no instrument '{update.symbol}'")
    if instrument.quote_currency != update.currency:
        raise InvalidInput("currency", f"{update.symbol} is held in {instrument.quote_currency}")
    position = portfolio.position(update.symbol, update.currency)
    free = position.quantity - position.reserved_quantity
    if update.quantity < ZERO and -update.quantity > free:
        raise InvalidInput("quantity", f"only {plain(free)} {update.symbol} are held and free")
    return position


def _cost(position: Position, update: HoldingsUpdate) -> Decimal:
    """What the corrected units add to the cost of the holding; taken out at average cost."""
    if update.quantity < ZERO:
        if -update.quantity == position.quantity:
            return -position.cost_basis
        return average(position.cost_basis * update.quantity, position.quantity)
    if update.unit_cost is None:
        raise InvalidInput("unit_cost", "is needed to add to a holding")
    return update.quantity * update.unit_cost


def snapshot_equity(desk: Desk, portfolio_id: str) -> EquitySnapshot:
    """Value a portfolio now and keep the figure. Raises NotFound."""
    portfolio = desk.books.portfolio(portfolio_id)
    snapshot = take_snapshot(portfolio, desk.books.now(portfolio.account))
    desk.portfolios.record_equity(snapshot)
    return snapshot


def snapshot_all(desk: Desk, portfolio_ids: list[str] | None) -> dict[str, int]:
    """Value portfolios (None: all); returns how many were, and how many do not exist."""
    counts = {"recorded": 0, "unknown": 0}
    for portfolio_id in desk.portfolios.ids() if portfolio_ids is None else portfolio_ids:
        try:
            snapshot_equity(desk, portfolio_id)
        except NotFound:
            counts["unknown"] += 1
        else:
            counts["recorded"] += 1
    return counts
