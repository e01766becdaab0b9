"""The books under any sequence of deposits, corrections, orders, prices, matches and cancels."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.domain.builders import ACME, NOW, UNLIMITED, account, d, matched, order
from trading.domain.books import BookChange, Posting, Snapshot, post
from trading.domain.candle import Price
from trading.domain.ledger import (
    LedgerTransaction,
    TransactionKind,
    apply_to_position,
    cash_entries,
    correction_entries,
    rebuild,
    sums_by_commodity,
)
from trading.domain.matching import price_point
from trading.domain.money import MAX_SCALE, average, floor_to_step
from trading.domain.order import Order, OrderStatus, Side
from trading.domain.order_life import close, place
from trading.domain.portfolio import Account, Portfolio
from trading.domain.position import Position

PRICES = st.integers(8_000, 12_000).map(lambda n: Decimal(n).scaleb(-2))
LOTS = st.integers(1, 40).map(lambda n: Decimal(n) / 2)
AMOUNTS = st.integers(1, 10_000_000).map(lambda n: Decimal(n).scaleb(-2))


def part(whole: Decimal, percent: int) -> Decimal:
    """A part of an amount, with no more decimals than a request may have."""
    return floor_to_step(whole * percent / 100, Decimal(1).scaleb(-MAX_SCALE))


class Books(RuleBasedStateMachine):
    """Applies every decision to books in memory as the tables would hold them."""

    def __init__(self) -> None:
        super().__init__()
        self.account: Account = account().model_copy(update={"cash": {}})
        self.positions: dict[str, Position] = {}
        self.orders: dict[str, Order] = {}
        self.ledger: list[LedgerTransaction] = []
        self.mark = Price(symbol="ACME", price=d(100), time=NOW, source="test")
        self.now = NOW
        self.expected_equity = d(0)
        self.corrected = d(0)

    def portfolio(self) -> Portfolio:
        return Portfolio(account=self.account, positions=self.positions, prices={"ACME": self.mark})

    def snapshot(self) -> Snapshot:
        return Snapshot(
            portfolio=self.portfolio(),
            instrument=ACME,
            limits=UNLIMITED,
            trades_today=0,
            existing=None,
            now=self.now,
        )

    def apply(self, change: BookChange) -> None:
        assert change.before == self.account
        self.account = change.account or self.account
        if change.fill:
            # A trade swaps cash for units; only its fee and a price beside the market cost.
            sign = 1 if change.fill.side is Side.BUY else -1
            beside = (self.mark.price - change.fill.price) * change.fill.quantity * sign
            self.expected_equity += beside - change.fill.fee
        if change.position:
            self.positions[change.position.symbol] = change.position
        if change.transaction:
            self.ledger.append(change.transaction)
        if change.order:
            self.orders[change.order.id] = change.order

    def move(self, kind: TransactionKind, amount: Decimal) -> None:
        posting = Posting(
            kind=kind,
            cause=f"test:{len(self.ledger)}",
            entries=cash_entries("USD", amount),
            currency="USD",
            time=self.now,
            recorded_at=self.now,
        )
        self.account, transaction = post(self.account, posting)
        self.ledger.append(transaction)
        self.expected_equity += amount

    def held(self) -> Position:
        return self.positions.get("ACME", Position(symbol="ACME", currency="USD"))

    def correct(self, cash: Decimal, quantity: Decimal, cost: Decimal) -> None:
        symbol = "ACME" if quantity else None
        posting = Posting(
            kind=TransactionKind.CORRECTION,
            cause=f"test:{len(self.ledger)}",
            entries=correction_entries("USD", cash, symbol, quantity, cost),
            currency="USD",
            symbol=symbol,
            time=self.now,
            recorded_at=self.now,
        )
        self.account, transaction = post(self.account, posting)
        self.ledger.append(transaction)
        if symbol:
            self.positions[symbol] = apply_to_position(self.held(), transaction)
        self.expected_equity += cash + quantity * self.mark.price
        self.corrected += cash + cost

    @initialize(amount=st.integers(500, 5000).map(Decimal))
    def opens(self, amount: Decimal) -> None:
        self.move(TransactionKind.DEPOSIT, amount)

    @rule(amount=AMOUNTS)
    def deposits(self, amount: Decimal) -> None:
        self.move(TransactionKind.DEPOSIT, amount)

    @rule(share=st.integers(0, 100))
    def withdraws(self, share: int) -> None:
        amount = part(self.account.available("USD"), share)
        if amount > 0:
            self.move(TransactionKind.WITHDRAWAL, -amount)

    @rule(share=st.integers(-100, 100))
    def cash_is_corrected(self, share: int) -> None:
        self.correct(part(self.account.available("USD"), share), d(0), d(0))

    @rule(quantity=LOTS, cost=AMOUNTS)
    def missing_units_are_found(self, quantity: Decimal, cost: Decimal) -> None:
        self.correct(d(0), quantity, cost)

    @rule(share=st.integers(1, 100))
    def units_that_are_not_there_are_written_off(self, share: int) -> None:
        held = self.held()
        quantity = part(held.quantity - held.reserved_quantity, share)
        if quantity:
            cost = average(held.cost_basis * quantity, held.quantity)
            self.correct(d(0), -quantity, -cost)

    @rule(price=PRICES)
    def the_market_moves(self, price: Decimal) -> None:
        self.now += timedelta(seconds=10)
        self.expected_equity += (price - self.mark.price) * self.held().quantity
        self.mark = Price(symbol="ACME", price=price, time=self.now, source="test")

    @rule(quantity=LOTS, side=st.sampled_from(list(Side)), limit=st.one_of(st.none(), PRICES))
    def places(self, quantity: Decimal, side: Side, limit: Decimal | None) -> None:
        made = order(str(quantity), side, limit and str(limit), f"ord_{len(self.orders)}")
        change = place(made, self.snapshot(), None)
        assert change.decision is not None
        assert change.decision.passed == (change.account is not None)
        self.apply(change)

    def resting(self) -> list[Order]:
        return [o for o in self.orders.values() if o.is_open]

    @rule(which=st.integers(0, 9))
    def the_market_comes_to_a_resting_order(self, which: int) -> None:
        resting = self.resting()
        if not resting:
            return
        chosen = resting[which % len(resting)]
        assert chosen.limit_price is not None
        self.the_market_moves(chosen.limit_price)
        change = matched(chosen, price_point(self.mark), self.snapshot())
        assert change is not None
        assert change.fill is not None
        assert change.fill.price == chosen.limit_price
        self.apply(change)

    @rule(
        which=st.integers(0, 9), how=st.sampled_from([OrderStatus.CANCELLED, OrderStatus.EXPIRED])
    )
    def an_order_ends_unfilled(self, which: int, how: OrderStatus) -> None:
        resting = self.resting()
        if not resting:
            return
        chosen = resting[which % len(resting)]
        self.apply(close(chosen, how, "test", self.snapshot()))

    @invariant()
    def every_transaction_sums_to_zero(self) -> None:
        for transaction in self.ledger:
            assert set(sums_by_commodity(transaction.entries).values()) <= {Decimal(0)}

    @invariant()
    def the_ledger_rebuilds_what_is_stored(self) -> None:
        derived = rebuild(self.ledger)
        assert derived.cash == self.account.cash
        assert derived.capital == self.account.capital
        assert derived.sequence == self.account.ledger_sequence
        assert derived.hash == self.account.ledger_hash
        kept = {
            symbol: held.model_copy(
                update={"reserved_quantity": Decimal(0), "reserved_notional": Decimal(0)}
            )
            for symbol, held in self.positions.items()
        }
        for symbol in kept.keys() | derived.positions.keys():
            empty = Position(symbol=symbol, currency="USD")
            assert derived.positions.get(symbol, empty) == kept.get(symbol, empty)

    @invariant()
    def nothing_is_spent_or_sold_twice(self) -> None:
        resting = self.resting()
        assert self.account.open_orders == len(resting)
        assert self.account.reserved.get("USD", 0) == sum(o.reserved_cash for o in resting)
        assert self.account.available("USD") >= 0
        held = self.held()
        promised = sum(o.remaining for o in resting if o.side is Side.SELL)
        assert held.reserved_quantity == promised <= held.quantity
        wanted = sum(o.remaining * (o.limit_price or 0) for o in resting if o.side is Side.BUY)
        assert held.reserved_notional == wanted

    @invariant()
    def a_resting_buy_is_promised_its_cost_and_commission(self) -> None:
        for made in self.resting():
            cost = made.remaining * (made.limit_price or 0) * (1 + self.account.commission_rate)
            assert made.reserved_cash >= (cost if made.side is Side.BUY else 0)

    @invariant()
    def profit_is_what_prices_brought_less_fees(self) -> None:
        held = self.held()
        profit = held.realized_pnl + held.unrealized_pnl(self.mark.price) - held.fees
        put_in = self.account.capital.get("USD", 0) + self.corrected
        assert profit == self.portfolio().equity - put_in

    @invariant()
    def equity_moves_by_prices_fees_flows_and_corrections_alone(self) -> None:
        assert self.portfolio().equity == self.expected_equity

    @invariant()
    def fees_in_the_ledger_are_those_of_the_orders(self) -> None:
        paid = sum(made.fees for made in self.orders.values())
        assert rebuild(self.ledger).fees.get("USD", 0) == self.held().fees == paid


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
