"""Reads what decisions are made from, and writes each decision whole or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cached_property

from trading.adapters.dynamodb import keys, store
from trading.adapters.dynamodb.codec import Item, decode, encode
from trading.adapters.dynamodb.counters import counter
from trading.adapters.dynamodb.market import MarketRepository
from trading.adapters.dynamodb.recommendations import recommendation_writes
from trading.adapters.dynamodb.risk_state import RiskRepository
from trading.adapters.dynamodb.store import ConditionFailed, Key, Range, Store, Write
from trading.domain.books import BookChange, Holding, Snapshot
from trading.domain.candle import Price
from trading.domain.currency import rate_symbols, rates_to
from trading.domain.errors import ConcurrentUpdate, NotFound, Unavailable
from trading.domain.instrument import Instrument
from trading.domain.order import Order
from trading.domain.portfolio import Account, Clock, Portfolio
from trading.domain.position import Position
from trading.domain.promises import OrderMove
from trading.domain.risk.limits import RiskLimits
from trading.domain.time import to_text
from trading.settings import Settings

Found = Mapping[tuple[str, str, str], Item]


class BookRepository:
    """A portfolio's books in the portfolio, orders, risk and recommendations tables.

    ``wall_clock`` gives the time for portfolios that live by it.
    """

    def __init__(
        self, store: Store, settings: Settings, wall_clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._settings = settings
        self._wall_clock = wall_clock

    @cached_property
    def _market(self) -> MarketRepository:
        """Prices and the market clock; made on first use, as not every function may read them."""
        return MarketRepository(self._store, self._settings.market_table)

    @cached_property
    def _risk(self) -> RiskRepository:
        """What the schedules have worked out for the limits that need it."""
        return RiskRepository(self._store, self._settings.risk_table)

    def account(self, portfolio_id: str) -> Account:
        """Read a portfolio's account. Raises NotFound."""
        item = self._store.get(self._settings.portfolio_table, keys.account(portfolio_id))
        if item is None:
            raise NotFound("portfolio", portfolio_id)
        return decode(Account, item)

    def now(self, account: Account) -> datetime:
        """The present moment on the portfolio's clock.

        The market clock of a portfolio that names its symbols runs with their prices alone, so that
        history can be replayed beside live prices of others.
        """
        if account.clock is Clock.WALL:
            return self._wall_clock()
        if account.policy.symbols is not None:
            prices = self._market.latest_prices(account.policy.symbols)
            return max((price.time for price in prices), default=self._wall_clock())
        return self._market.clock() or self._wall_clock()

    def portfolio(self, portfolio_id: str, *currencies: str) -> Portfolio:
        """Read an account with all its positions, their latest prices, and the exchange rates.

        The rates are those of every currency that the portfolio has, and of ``currencies``. Raises
        NotFound.
        """
        account = self.account(portfolio_id)
        return self._with_positions(account, {}, currencies=currencies)

    def part(self, portfolio_id: str, symbols: Sequence[str]) -> Portfolio:
        """Read an account with the positions and latest prices of some symbols. Raises NotFound."""
        settings = self._settings
        account_at = (settings.portfolio_table, keys.account(portfolio_id))
        held_at = [(settings.portfolio_table, keys.position(portfolio_id, s)) for s in symbols]
        found = self._store.get_many([account_at, *held_at])
        item = _at(found, *account_at)
        if item is None:
            raise NotFound("portfolio", portfolio_id)
        held = [decode(Position, i) for i in (_at(found, *place) for place in held_at) if i]
        prices = self._market.latest_prices(symbols) if symbols else []
        return Portfolio(
            account=decode(Account, item),
            positions={position.symbol: position for position in held},
            prices={price.symbol: price for price in prices},
        )

    def holders(self, portfolio_ids: Sequence[str], symbols: Sequence[str]) -> list[str]:
        """Those of some portfolios that hold one of some symbols, by one read per pair."""
        table = self._settings.portfolio_table
        at = {(p, s): keys.position(p, s) for p in portfolio_ids for s in symbols}
        found = self._store.get_many([(table, place) for place in at.values()])
        held = {pair: _at(found, table, place) for pair, place in at.items()}
        return sorted({p for (p, _), item in held.items() if item and item["quantity"]})

    def snapshot(self, portfolio_id: str, symbol: str, order_id: str, *links: str) -> Snapshot:
        """Read all that a decision on one order needs; ``links`` are others that it is to change.

        The account is read first: whatever changes after it moves its version, and the decision
        made from an older state then fails to be written. Raises NotFound.
        """
        settings = self._settings
        wanted: list[tuple[str, Key]] = [
            (settings.portfolio_table, keys.account(portfolio_id)),
            (settings.risk_table, keys.limits(portfolio_id)),
            (settings.market_table, keys.instrument(symbol)),
            (settings.market_table, keys.price(symbol)),
            (settings.orders_table, keys.order(order_id)),
        ]
        found = self._store.get_many(wanted)
        account_item = _at(found, *wanted[0])
        if account_item is None:
            raise NotFound("portfolio", portfolio_id)
        instrument_item = _at(found, *wanted[2])
        if instrument_item is None:
            raise NotFound("instrument", symbol)
        account = decode(Account, account_item)
        limits = decode(RiskLimits, _at(found, *wanted[1]) or {})
        now = self.now(account)
        price_item = _at(found, *wanted[3])
        prices = {symbol: decode(Price, price_item)} if price_item else {}
        order_item = _at(found, *wanted[4])
        existing = decode(Order, order_item) if order_item else None
        everything = limits.needs_all_positions
        instrument = decode(Instrument, instrument_item)
        portfolio = self._with_positions(
            account, prices, None if everything else symbol, [instrument.quote_currency]
        )
        tail, volatility = self._risk.tail_for(portfolio, symbol, limits)
        return Snapshot(
            portfolio=portfolio,
            instrument=instrument,
            limits=limits,
            trades_today=self.trades_on(portfolio_id, now.date()),
            existing=existing,
            linked=self._linked(existing, links),
            marks=self._risk.marks(portfolio_id) if limits.needs_marks else None,
            tail=tail,
            volatility=volatility,
            now=now,
        )

    def holding(self, portfolio_id: str, symbol: str, order_id: str) -> Holding:
        """Read what ending an order needs: account, position and orders, no market and no limits.

        Where the market's table does not answer, a portfolio of the market's clock goes by the
        wall clock. Raises NotFound.
        """
        settings = self._settings
        account_at = (settings.portfolio_table, keys.account(portfolio_id))
        position_at = (settings.portfolio_table, keys.position(portfolio_id, symbol))
        order_at = (settings.orders_table, keys.order(order_id))
        found = self._store.get_many([account_at, position_at, order_at])
        account_item = _at(found, *account_at)
        if account_item is None:
            raise NotFound("portfolio", portfolio_id)
        account = decode(Account, account_item)
        position_item, order_item = _at(found, *position_at), _at(found, *order_at)
        existing = decode(Order, order_item) if order_item else None
        held = {symbol: decode(Position, position_item)} if position_item else {}
        try:
            now = self.now(account)
        except Unavailable:
            now = self._wall_clock()
        return Holding(
            portfolio=Portfolio(account=account, positions=held),
            existing=existing,
            linked=self._linked(existing),
            now=now,
        )

    def _linked(self, order: Order | None, links: Sequence[str] = ()) -> dict[str, Order]:
        """The orders that an order is linked to, or is to change."""
        ids = {*(order.linked_ids if order else ()), *links}
        if not ids:
            return {}
        table = self._settings.orders_table
        found = self._store.get_many(
            [(table, keys.order(identifier)) for identifier in sorted(ids)]
        )
        orders = [decode(Order, item) for item in found.values()]
        return {order.id: order for order in orders}

    def _with_positions(
        self,
        account: Account,
        prices: dict[str, Price],
        symbol: str | None = None,
        currencies: Iterable[str] = (),
    ) -> Portfolio:
        """Add the positions (of one symbol, or all), the prices not known yet, and the rates.

        Rates are those of ``currencies``, and with all positions of every currency they are in.
        A portfolio of one currency reads nothing for them.
        """
        table, pid = self._settings.portfolio_table, account.portfolio_id
        if symbol is not None:
            item = self._store.get(table, keys.position(pid, symbol))
            positions = [item] if item else []
        else:
            within = Range(prefix="POSITION#")
            positions = self._store.query(table, keys.portfolio(pid), within, consistent=True)
        held = {item["symbol"]: decode(Position, item) for item in positions}
        missing = [s for s, p in held.items() if p.quantity and s not in prices]
        base, wanted = account.base_currency, set(currencies)
        if symbol is None:
            wanted |= account.currencies | {p.currency for p in held.values()}
        foreign = sorted(wanted - {base})
        quotes = {quote for currency in foreign for quote in rate_symbols(currency, base)}
        read = self._market.latest_prices([*missing, *(quotes - prices.keys())])
        known = prices | {price.symbol: price for price in read}
        rates = rates_to(known, foreign, base)
        return Portfolio(account=account, positions=held, prices=known, rates=rates)

    def trades_on(self, portfolio_id: str, day: date) -> int:
        """How many orders were accepted on a day."""
        item = self._store.get(self._settings.risk_table, keys.day(portfolio_id, day))
        return int(item["trades"]) if item else 0

    def acted_on(self, portfolio_id: str, cause: str) -> str | None:
        """What a change marked with this cause asked for, None if there was no such change.

        The answer is the change's fingerprint, empty where none was kept.
        """
        key = keys.marker(portfolio_id, cause)
        item = self._store.get(self._settings.portfolio_table, key)
        return None if item is None else str(item.get("fingerprint", ""))

    def commit(self, change: BookChange) -> None:
        """Write a decision; ConcurrentUpdate, with nothing written, if the books moved on."""
        try:
            self._store.transact(self._writes(change))
        except ConditionFailed as error:
            raise ConcurrentUpdate(
                f"the books of '{change.before.portfolio_id}' changed meanwhile ({error.detail})"
            ) from error

    def _writes(self, change: BookChange) -> list[Write]:
        """Everything one decision writes, each write with its guard."""
        writes = [*self._account_writes(change), *self._order_writes(change)]
        writes += self._risk_writes(change)
        if change.recommendation is not None:
            table = self._settings.recommendations_table
            writes += recommendation_writes(table, change.recommendation, change.recommendation_was)
        return writes

    def _account_writes(self, change: BookChange) -> list[Write]:
        """Account, position, ledger and marker in the portfolio table."""
        table, pid = self._settings.portfolio_table, change.before.portfolio_id
        writes: list[Write] = []
        if change.account is not None:
            version = change.before.version
            item = encode(change.account) | keys.account(pid) | {"version": version + 1}
            guard = "version = :read"
            writes.append(store.put("account", table, item, guard, {":read": version}))
        if change.position is not None:
            position = change.position
            item = encode(position) | keys.position(pid, position.symbol)
            writes.append(store.put("position", table, item))
        if change.transaction is not None:
            transaction = change.transaction
            item = encode(transaction) | keys.ledger(pid, transaction.sequence)
            writes.append(store.put_new("ledger", table, item))
        if change.marker is not None:
            time = to_text(change.before.updated_at)
            asked = {"fingerprint": change.fingerprint} if change.fingerprint else {}
            item = {**keys.marker(pid, change.marker), "time": time, **asked}
            writes.append(store.put_new("marker", table, item))
        if change.equity is not None:
            item = encode(change.equity) | keys.equity(pid, change.equity.time)
            writes.append(store.put("equity", table, item))
        return writes

    def _order_writes(self, change: BookChange) -> list[Write]:
        """Orders, fill and the counters of orders by state in the orders table."""
        if change.order is None:
            return []
        table = self._settings.orders_table
        moves = [OrderMove(order=change.order, was=change.order_was), *change.linked]
        writes = [_order_write(table, move) for move in moves]
        if change.fill is not None:
            fill = change.fill
            index = {
                "portfolio_pk": keys.fills_of(fill.portfolio_id),
                "portfolio_sk": keys.timed(fill.time, fill.id),
            }
            item = encode(fill) | keys.fill(fill.order_id, fill.id) | index
            writes.append(store.put_new("fill", table, item))
        counts = Counter(_state(move.order) for move in moves)
        counts.subtract(_state(move.was) for move in moves if move.was)
        if any(counts.values()):
            writes.append(counter(table, change.order.portfolio_id, counts))
        return writes

    def _risk_writes(self, change: BookChange) -> list[Write]:
        """The verdict, the day's counter, and the guard on the limits in the risk table."""
        table, pid = self._settings.risk_table, change.before.portfolio_id
        writes: list[Write] = []
        if change.decision is not None:
            decision = change.decision
            item = encode(decision) | keys.decision(pid, decision.time, decision.order_id)
            writes.append(store.put("decision", table, item))
        if change.counted_on is not None:
            cap = change.daily_cap
            writes.append(
                store.update(
                    "daily_trades",
                    table,
                    keys.day(pid, change.counted_on),
                    "ADD trades :one",
                    {":one": 1} | ({":cap": cap} if cap is not None else {}),
                    None if cap is None else "attribute_not_exists(trades) OR trades < :cap",
                )
            )
        if change.limits_version is not None:
            writes.append(
                store.check(
                    "limits",
                    table,
                    keys.limits(pid),
                    "attribute_not_exists(pk) OR version = :read",
                    {":read": change.limits_version},
                )
            )
        return writes


def _at(found: Found, table: str, key: Key) -> Item | None:
    """Look an item up in the answer to ``get_many``."""
    return found.get((table, key["pk"], key["sk"]))


def _order_write(table: str, move: OrderMove) -> Write:
    """Save one order, guarded by the version that was read."""
    item = _order_item(move.order)
    if move.was is None:
        return store.put_new("order", table, item)
    return store.put("order", table, item, "version = :read", {":read": move.was.version})


def _order_item(order: Order) -> Item:
    """An order's stored form; only open orders stand in the index of open ones."""
    item = encode(order) | keys.order(order.id)
    item["portfolio_pk"] = keys.orders_of(order.portfolio_id)
    item["portfolio_sk"] = keys.timed(order.created_at, order.id)
    if order.is_open:
        item["open_pk"] = keys.OPEN_ORDERS
        item["open_sk"] = keys.open_order(order.symbol, order.created_at, order.id)
    return item


def _state(order: Order) -> str:
    """The counter that an order in its present state stands in: state, and reason if rejected."""
    return f"{order.execution_status}#{order.reason or ''}".rstrip("#")
