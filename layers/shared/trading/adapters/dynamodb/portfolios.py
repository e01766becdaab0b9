"""Portfolios: opening, the ledger, equity snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import ValidationError

from trading.adapters.dynamodb import keys, store
from trading.adapters.dynamodb.codec import Item, decode, encode
from trading.adapters.dynamodb.store import ConditionFailed, Range, Store
from trading.domain.equity import EquitySnapshot
from trading.domain.errors import ConcurrentUpdate
from trading.domain.ledger import BrokenLedger, LedgerTransaction
from trading.domain.portfolio import Account
from trading.domain.position import Position


class PortfolioRepository:
    """The portfolio table beyond single decisions (those are in ``books.py``)."""

    def __init__(self, source: Store, table: str) -> None:
        self._store = source
        self._table = table

    def find(self, portfolio_id: str) -> Account | None:
        """Read an account, or None."""
        item = self._store.get(self._table, keys.account(portfolio_id))
        return decode(Account, item) if item else None

    def open(self, account: Account, transactions: Sequence[LedgerTransaction]) -> None:
        """Write a new portfolio with its opening deposits.

        Raises ConcurrentUpdate, with nothing written, if it exists.
        """
        pid = account.portfolio_id
        writes = [
            store.put_new("account", self._table, encode(account) | keys.account(pid)),
            store.put("registry", self._table, dict(keys.registered(pid))),
            *(
                store.put_new("ledger", self._table, encode(t) | keys.ledger(pid, t.sequence))
                for t in transactions
            ),
        ]
        try:
            self._store.transact(writes)
        except ConditionFailed as error:
            raise ConcurrentUpdate(f"portfolio '{pid}' was opened meanwhile") from error

    def positions(self, portfolio_id: str) -> dict[str, Position]:
        """All positions by symbol, closed ones too."""
        within = Range(prefix="POSITION#")
        items = self._store.query(
            self._table, keys.portfolio(portfolio_id), within, consistent=True
        )
        return {item["symbol"]: decode(Position, item) for item in items}

    def ids(self) -> list[str]:
        """All portfolios' ids, in alphabetical order."""
        return [item["sk"] for item in self._store.query(self._table, keys.PORTFOLIOS)]

    def ledger(
        self,
        portfolio_id: str,
        *,
        limit: int | None = None,
        before: str | None = None,
        newest_first: bool = False,
    ) -> list[LedgerTransaction]:
        """Ledger transactions in the order of their sequence; ``before`` is a sequence key.

        Raises BrokenLedger for one that cannot be read as a transaction.
        """
        items = self._store.query(
            self._table,
            keys.portfolio(portfolio_id),
            Range(prefix="LEDGER#"),
            limit=limit,
            before=before,
            newest_first=newest_first,
            consistent=True,
        )
        return [_transaction(item) for item in items]

    def record_equity(self, snapshot: EquitySnapshot) -> None:
        """Write an equity snapshot; one of the same moment is replaced by it."""
        key = keys.equity(snapshot.portfolio_id, snapshot.time)
        self._store.put_item(self._table, encode(snapshot) | key)

    def equity(
        self, portfolio_id: str, start: datetime | None, end: datetime | None
    ) -> list[EquitySnapshot]:
        """Equity snapshots in order of time, bounds inclusive."""
        low = keys.equity(portfolio_id, start)["sk"] if start else "EQUITY#"
        high = keys.equity(portfolio_id, end)["sk"] if end else "EQUITY#~"
        items = self._store.query(
            self._table, keys.portfolio(portfolio_id), Range(start=low, end=high)
        )
        return [decode(EquitySnapshot, item) for item in items]


def _transaction(item: Item) -> LedgerTransaction:
    """Read a ledger transaction that somebody may have tampered with."""
    try:
        return decode(LedgerTransaction, item)
    except ValidationError as error:
        fields = ", ".join(sorted({str(e["loc"][0]) for e in error.errors()}))
        raise BrokenLedger(f"the item {item['sk']} is no transaction: {fields}") from error
