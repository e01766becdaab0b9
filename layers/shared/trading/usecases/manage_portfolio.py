"""Opens portfolios, changes their terms, and keeps what they are worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from trading.domain.books import BookChange, Posting, post
from trading.domain.equity import EquitySnapshot, take_snapshot
from trading.domain.errors import Conflict, MissingRate, NotFound
from trading.domain.fill_model import FillModel
from trading.domain.ledger import LedgerTransaction, TransactionKind, cash_entries
from trading.domain.money import ZERO
from trading.domain.portfolio import Account, AllocationPolicy, Clock, Mode, Portfolio
from trading.domain.position import CostMethod
from trading.ports import Desk
from trading.usecases.retry import retried
from trading.usecases.update_holdings import charge_borrowing

CHANGEABLE = ("commission_rate", "policy", "margin", "cost_method", "borrow_rate", "fill_model")


@dataclass(frozen=True)
class PortfolioTerms:
    """What a portfolio is opened with; ``cash`` by currency is deposited at once."""

    base_currency: str
    mode: Mode
    clock: Clock
    commission_rate: Decimal
    policy: AllocationPolicy
    cash: Mapping[str, Decimal]
    margin: bool = False
    cost_method: CostMethod = CostMethod.AVERAGE
    borrow_rate: Decimal = ZERO
    fill_model: FillModel = field(default_factory=FillModel)

    @property
    def changeable(self) -> dict[str, Any]:
        """What may be another for an open portfolio, by the account's names."""
        return {name: getattr(self, name) for name in CHANGEABLE}


def put_portfolio(
    desk: Desk, portfolio_id: str, terms: PortfolioTerms, correlation_id: str
) -> tuple[Account, bool]:
    """Open a portfolio (True), or change the terms of an open one (False).

    Raises Conflict when currency, mode, clock or opening cash differ from those it was opened
    with, as those are facts and money moves through the ledger only; for another cost method once
    it has held anything; and for ending margin while anything is borrowed or promised on it.
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
    wanted = terms.changeable
    changed = existing.model_copy(update={**wanted, "updated_at": desk.wall_clock()})
    if changed.model_dump(include=set(wanted)) == existing.model_dump(include=set(wanted)):
        return existing, False
    if existing.cost_method is not terms.cost_method or existing.margin > terms.margin:
        portfolio = desk.books.portfolio(portfolio_id)
        _check_allowed(portfolio, terms)
        existing = portfolio.account
        changed = existing.model_copy(update={**wanted, "updated_at": desk.wall_clock()})
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
        **terms.changeable,
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


def _check_allowed(portfolio: Portfolio, terms: PortfolioTerms) -> None:
    """Raise Conflict for another cost method over positions, or for an end of margin in use."""
    account, held = portfolio.account, portfolio.positions.values()
    name = account.portfolio_id
    if account.cost_method is not terms.cost_method and portfolio.positions:
        raise Conflict(
            f"'{name}' has held positions at {account.cost_method} cost, which cannot change"
        )
    if account.margin and not terms.margin:
        borrowed = any(account.available(c) < ZERO for c in {*account.cash, *account.reserved})
        if borrowed or any(max(p.quantity, ZERO) < p.reserved_quantity for p in held):
            raise Conflict(f"'{name}' owes cash, or its resting orders need margin")
        if any(p.quantity < ZERO for p in held):
            raise Conflict(f"'{name}' is short; cover that before margin ends")


def snapshot_equity(desk: Desk, portfolio_id: str) -> EquitySnapshot:
    """Value a portfolio now and keep the figure. Raises NotFound."""
    portfolio = desk.books.portfolio(portfolio_id)
    snapshot = take_snapshot(portfolio, desk.books.now(portfolio.account))
    desk.portfolios.record_equity(snapshot)
    return snapshot


def snapshot_all(desk: Desk, portfolio_ids: list[str] | None) -> dict[str, int]:
    """Charge what portfolios (None: all) owe for the day, and value them.

    Returns how many were valued and how many do not exist; also, where there are any, how many
    were ``charged``, and how many are ``unpriced`` for want of an exchange rate.
    """
    counts = Counter(recorded=0, unknown=0)
    for portfolio_id in desk.portfolios.ids() if portfolio_ids is None else portfolio_ids:
        try:
            if charge_borrowing(desk, portfolio_id):
                counts["charged"] += 1
            snapshot_equity(desk, portfolio_id)
        except NotFound:
            counts["unknown"] += 1
        except MissingRate:
            counts["unpriced"] += 1
        else:
            counts["recorded"] += 1
    return dict(counts)
