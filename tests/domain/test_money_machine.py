"""The books under any sequence of movements and trades, long and short, in two currencies."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.domain.builders import ACME, NOW, account, d
from trading.domain.books import BookChange, Posting, post
from trading.domain.borrowing import accrued, owed
from trading.domain.candle import Price
from trading.domain.errors import InvalidInput
from trading.domain.ledger import (
    LedgerTransaction,
    TransactionKind,
    apply_to_position,
    fill_entries,
    rebuild,
    sums_by_commodity,
)
from trading.domain.movement import HoldingsUpdate, moved
from trading.domain.order import Fill, Side
from trading.domain.portfolio import Portfolio
from trading.domain.position import CostMethod, Position
from trading.domain.verification import verified

K = TransactionKind
SAP = ACME.model_copy(update={"symbol": "SAP", "base_currency": "SAP", "quote_currency": "EUR"})
INSTRUMENTS = {"ACME": ACME, "SAP": SAP}
SYMBOLS = st.sampled_from(sorted(INSTRUMENTS))
CURRENCIES = st.sampled_from(["USD", "EUR"])
AMOUNTS = st.integers(1, 1_000_000).map(lambda n: Decimal(n).scaleb(-2))
SIGNED = st.integers(-100_000, 100_000).filter(bool).map(lambda n: Decimal(n).scaleb(-2))
LOTS = st.integers(-40, 40).filter(bool).map(lambda n: Decimal(n) / 2)
PRICES = st.integers(100, 20_000).map(lambda n: Decimal(n).scaleb(-2))


class Money(RuleBasedStateMachine):
    """Applies movements to books in memory, and counts money and units on its own."""

    @initialize(method=st.sampled_from(CostMethod), amount=AMOUNTS)
    def opens(self, method: CostMethod, amount: Decimal) -> None:
        self.account = account(margin=True, cost_method=method, borrow_rate=d("0.1")).model_copy(
            update={"cash": {}}
        )
        self.positions: dict[str, Position] = {}
        self.prices = {"ACME": d(100), "SAP": d(50)}
        self.rate = d("1.25")
        self.ledger: list[LedgerTransaction] = []
        self.now = NOW
        self.cash: dict[str, Decimal] = defaultdict(Decimal)
        self.units: dict[str, Decimal] = defaultdict(Decimal)
        self.put_in = d(0)
        self.move(K.DEPOSIT, currency="USD", amount=amount)

    def portfolio(self) -> Portfolio:
        return Portfolio(
            account=self.account,
            positions=self.positions,
            prices={
                s: Price(symbol=s, price=p, time=NOW, source="t") for s, p in self.prices.items()
            },
            rates={"EUR": self.rate},
        )

    def apply(self, change: BookChange) -> None:
        assert change.before == self.account
        assert change.account is not None
        assert change.transaction is not None
        self.account = change.account
        self.ledger.append(change.transaction)
        if change.position:
            self.positions[change.position.symbol] = change.position

    def move(self, kind: TransactionKind, **fields: Any) -> bool:
        """Book a movement; False, with nothing changed, if it is refused."""
        update = HoldingsUpdate(kind=kind, cause=f"test:{len(self.ledger)}", **fields)
        instrument = INSTRUMENTS.get(update.symbol or "")
        try:
            change = moved(self.portfolio(), update, instrument, self.now, self.now, "c")
        except InvalidInput:
            return False
        self.apply(change)
        if kind in (K.DEPOSIT, K.WITHDRAWAL):
            amount = update.amount if kind is K.DEPOSIT else -update.amount
            self.cash[update.currency] += amount
            self.put_in += amount * (self.rate if update.currency == "EUR" else 1)
            assert change.equity is not None
            assert change.equity.equity == self.portfolio().equity
        return True

    @rule(kind=st.sampled_from([K.DEPOSIT, K.WITHDRAWAL]), currency=CURRENCIES, amount=AMOUNTS)
    def the_owner_moves_money(self, kind: TransactionKind, currency: str, amount: Decimal) -> None:
        self.move(kind, currency=currency, amount=amount)

    @rule(currency=CURRENCIES, amount=AMOUNTS)
    def money_is_converted(self, currency: str, amount: Decimal) -> None:
        other = "EUR" if currency == "USD" else "USD"
        before = self.portfolio().equity
        if self.move(K.CONVERSION, currency=currency, amount=amount, to_currency=other):
            self.cash[currency] -= amount
            self.cash[other] = self.account.cash[other]
            lost = before - self.portfolio().equity
            assert 0 <= lost <= d("0.0000001")

    @rule(symbol=SYMBOLS, units=LOTS, price=PRICES)
    def a_trade(self, symbol: str, units: Decimal, price: Decimal) -> None:
        currency, fee = INSTRUMENTS[symbol].quote_currency, d("0.01")
        fill = Fill(
            id="f", order_id="o", portfolio_id="p", symbol=symbol,
            side=Side.BUY if units > 0 else Side.SELL, quantity=abs(units), price=price,
            fee=fee, currency=currency, time=self.now, correlation_id="c",
        )  # fmt: skip
        posting = Posting(
            kind=K.FILL, cause="f", entries=fill_entries(fill), currency=currency, symbol=symbol,
            time=self.now, recorded_at=self.now,
        )  # fmt: skip
        after, transaction = post(self.account, posting)
        held = self.portfolio().position(symbol, currency)
        change = BookChange(before=self.account, account=after, transaction=transaction)
        self.apply(change.model_copy(update={"position": apply_to_position(held, transaction)}))
        self.cash[currency] -= units * price + fee
        self.units[symbol] += units

    @rule(symbol=SYMBOLS, kind=st.sampled_from([K.DIVIDEND, K.FUNDING]), amount=SIGNED)
    def holding_brings_or_costs_money(
        self, symbol: str, kind: TransactionKind, amount: Decimal
    ) -> None:
        currency = INSTRUMENTS[symbol].quote_currency
        if self.move(kind, currency=currency, symbol=symbol, amount=amount):
            self.cash[currency] += amount

    @rule(symbol=SYMBOLS, per_unit=AMOUNTS)
    def a_dividend_per_unit(self, symbol: str, per_unit: Decimal) -> None:
        currency = INSTRUMENTS[symbol].quote_currency
        if self.move(K.DIVIDEND, currency=currency, symbol=symbol, per_unit=per_unit):
            self.cash[currency] += per_unit * self.units[symbol]

    @rule(symbol=SYMBOLS, to=st.integers(1, 9), of=st.integers(1, 9))
    def a_split(self, symbol: str, to: int, of: int) -> None:
        currency = INSTRUMENTS[symbol].quote_currency
        cost = self.portfolio().position(symbol, currency).cost_basis
        if self.move(K.SPLIT, currency=currency, symbol=symbol, split_to=to, split_from=of):
            exact, now = self.units[symbol] * to / of, self.positions[symbol].quantity
            assert 0 <= abs(exact) - abs(now) < d("0.00000001")
            assert self.positions[symbol].cost_basis == cost
            self.units[symbol] = now

    @rule(symbol=SYMBOLS, units=LOTS, unit_cost=PRICES)
    def a_holding_is_put_right(self, symbol: str, units: Decimal, unit_cost: Decimal) -> None:
        currency = INSTRUMENTS[symbol].quote_currency
        realized = self.portfolio().position(symbol, currency).realized_pnl
        given = {"symbol": symbol, "quantity": units, "unit_cost": unit_cost}
        if self.move(K.CORRECTION, currency=currency, **given):
            self.units[symbol] += units
            assert self.positions[symbol].realized_pnl == realized

    @rule()
    def a_day_goes_by(self) -> None:
        self.now += timedelta(days=1)
        due, before = owed(self.portfolio()), self.portfolio().equity
        change = accrued(self.portfolio(), self.now, self.now)
        assert (change is None) == (not due)
        if change is not None:
            self.apply(change)
            for currency in due:
                self.cash[currency] = self.account.cash[currency]
            assert self.portfolio().equity < before

    @rule(symbol=SYMBOLS, price=PRICES, rate=st.integers(50, 200))
    def the_market_moves(self, symbol: str, price: Decimal, rate: int) -> None:
        self.prices[symbol] = price
        self.rate = Decimal(rate) / 100

    @invariant()
    def the_ledger_sums_to_zero_and_is_whole(self) -> None:
        for transaction in self.ledger:
            assert set(sums_by_commodity(transaction.entries).values()) <= {Decimal(0)}
        check = verified(self.ledger, self.account)
        assert (check.ok, check.checked, check.complete) == (True, len(self.ledger), True)

    @invariant()
    def the_ledger_rebuilds_what_is_stored(self) -> None:
        derived = rebuild(self.ledger, self.account.cost_method)
        for name in ("cash", "capital", "income"):
            stored, worked_out = getattr(self.account, name), getattr(derived, name)
            assert {c: a for c, a in stored.items() if a} == {
                c: a for c, a in worked_out.items() if a
            }, name
        assert derived.positions == self.positions

    @invariant()
    def money_and_units_are_what_was_counted(self) -> None:
        for currency in ("USD", "EUR"):
            assert self.account.cash_in(currency) == self.cash[currency]
        for symbol, units in self.units.items():
            held = self.portfolio().position(symbol, INSTRUMENTS[symbol].quote_currency)
            assert held.quantity == units

    @invariant()
    def capital_is_what_was_put_in_at_the_rates_of_then(self) -> None:
        assert set(self.account.capital) <= {"USD"}
        assert abs(self.account.capital.get("USD", d(0)) - self.put_in) < d("0.000001")

    @invariant()
    def fees_and_income_of_positions_are_in_the_account(self) -> None:
        derived = rebuild(self.ledger, self.account.cost_method)
        for currency in ("USD", "EUR"):
            held = [p for p in self.positions.values() if p.currency == currency]
            assert derived.fees.get(currency, 0) == sum(p.fees for p in held)


TestMoney = Money.TestCase
TestMoney.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
