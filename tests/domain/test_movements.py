"""Movements of money and units: balanced entries, exact projections, and clear refusals."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.domain.builders import ACME, NOW, account, d, position, price
from trading.domain.books import BookChange
from trading.domain.borrowing import accrued
from trading.domain.candle import Price
from trading.domain.currency import rate_between, rates_to
from trading.domain.errors import Conflict, InvalidInput, MissingRate
from trading.domain.ledger import TransactionKind, sums_by_commodity
from trading.domain.movement import HoldingsUpdate, moved
from trading.domain.portfolio import Account, Portfolio
from trading.domain.position import Position

K = TransactionKind
RATES = {"EUR": d("1.25"), "JPY": d("0.0078125")}


def portfolio(
    owner: Account | None = None, held: Position | None = None, **rates: Decimal
) -> Portfolio:
    return Portfolio(
        account=owner or account(),
        positions={"ACME": held} if held else {},
        prices={"ACME": price(100)},
        rates=RATES | rates,
    )


def having(cash: dict[str, Decimal], **changes: Any) -> Account:
    return account(**changes).model_copy(update={"cash": cash})


def move(where: Portfolio, kind: TransactionKind, **fields: Any) -> BookChange:
    update = HoldingsUpdate(kind=kind, cause="test", **({"currency": "USD"} | fields))
    instrument = ACME if update.symbol == "ACME" else None
    change = moved(where, update, instrument, NOW, NOW, "c")
    assert change.transaction is not None
    assert set(sums_by_commodity(change.transaction.entries).values()) <= {Decimal(0)}
    return change


def cash(change: BookChange) -> dict[str, Decimal]:
    assert change.account is not None
    return change.account.cash


def refused(where: Portfolio, kind: TransactionKind, **fields: Any) -> InvalidInput:
    with pytest.raises(InvalidInput) as found:
        move(where, kind, **fields)
    return found.value


def test_money_put_in_counts_as_capital_in_the_base_currency_at_the_rate_of_the_moment() -> None:
    change = move(portfolio(), K.DEPOSIT, currency="EUR", amount=d(100))
    assert cash(change) == {"USD": 1000, "EUR": 100}
    assert change.account is not None
    assert change.account.capital == {"USD": 125}
    assert change.equity is not None
    assert (change.equity.equity, change.equity.capital) == (1125, 125)


def test_a_currency_without_a_rate_is_refused_by_field() -> None:
    bare = Portfolio(account=account())
    assert refused(bare, K.DEPOSIT, currency="EUR", amount=d(1)).field == "currency"
    conversion = {"amount": d(1), "to_currency": "EUR", "rate": d(1)}
    assert refused(bare, K.CONVERSION, **conversion).field == "to_currency"


def test_equity_adds_up_cash_and_holdings_of_every_currency() -> None:
    owner = having({"USD": d(1000), "EUR": d(-40), "JPY": d(12800)})
    adidas = Position(symbol="ADS", currency="EUR", quantity=d(-2), cost_basis=d(-300))
    held = {"ACME": position(3, 270), "ADS": adidas}
    prices = {"ACME": price(100), "ADS": Price(symbol="ADS", price=d(160), time=NOW, source="x")}
    both = Portfolio(account=owner, positions=held, prices=prices, rates=RATES)
    assert both.holdings_value == 300 - 320 * d("1.25")
    assert both.gross_exposure == 300 + 320 * d("1.25")
    assert both.net_exposure == both.holdings_value
    assert both.equity == 1000 - 50 + 100 + both.holdings_value
    with pytest.raises(MissingRate, match="EUR to USD"):
        assert both.model_copy(update={"rates": {}}).equity


def test_a_conversion_takes_the_known_rate_or_the_given_one_and_rounds_down() -> None:
    for rate, got in ((None, d("800")), (d("0.333333"), d("333.333"))):
        change = move(portfolio(), K.CONVERSION, amount=d(1000), to_currency="EUR", rate=rate)
        assert cash(change) == {"USD": 0, "EUR": got}
    odd = portfolio(EUR=d("1.3"))
    change = move(odd, K.CONVERSION, amount=d(1), to_currency="EUR")
    assert cash(change)["EUR"] == d("0.76923076")
    between = portfolio(having({"EUR": d(10)}))
    change = move(between, K.CONVERSION, currency="EUR", amount=d(10), to_currency="JPY")
    assert cash(change) == {"EUR": 0, "JPY": 1600}


def test_a_conversion_needs_the_cash_and_another_currency() -> None:
    too_much = {"amount": d(1001), "to_currency": "EUR"}
    assert refused(portfolio(), K.CONVERSION, **too_much).field == "amount"
    same = {"amount": d(1), "to_currency": "USD"}
    assert refused(portfolio(), K.CONVERSION, **same).field == "to_currency"


@pytest.mark.parametrize("held", [position(4, 360), position(-4, -360)])
def test_a_dividend_is_paid_per_unit_to_longs_and_by_shorts(held: Position) -> None:
    change = move(portfolio(held=held), K.DIVIDEND, symbol="ACME", per_unit=d("0.5"))
    paid = held.quantity / 2
    assert cash(change) == {"USD": 1000 + paid}
    assert change.account is not None
    assert change.account.income == {"USD": paid}
    assert change.position is not None
    assert (change.position.income, change.position.realized_pnl) == (paid, 0)
    assert change.position.cost_basis == held.cost_basis


def test_dividends_funding_and_splits_need_a_holding() -> None:
    for kind, fields in (
        (K.DIVIDEND, {"amount": d(1)}),
        (K.FUNDING, {"amount": d(1)}),
        (K.SPLIT, {"split_to": 2}),
    ):
        assert refused(portfolio(), kind, symbol="ACME", **fields).field == "symbol"
    gone = portfolio(held=position(0, 0))
    assert refused(gone, K.DIVIDEND, symbol="ACME", per_unit=d(1)).field == "symbol"
    assert refused(gone, K.SPLIT, symbol="ACME", split_to=2).field == "symbol"
    # Dividends are paid weeks after the day on which one must have held.
    assert cash(move(gone, K.DIVIDEND, symbol="ACME", amount=d(7))) == {"USD": 1007}


def test_charges_are_borrowed_with_margin_and_must_be_there_without() -> None:
    fields = {"symbol": "ACME", "amount": d(-1001)}
    held = position(1, 100)
    assert refused(portfolio(held=held), K.FUNDING, **fields).field == "amount"
    lent = portfolio(account(margin=True), held)
    assert cash(move(lent, K.FUNDING, **fields)) == {"USD": -1}
    assert cash(move(lent, K.BORROW_COST, amount=d(1500))) == {"USD": -500}


@pytest.mark.parametrize(
    ("quantity", "to", "of", "after"),
    [
        ("4", 3, 2, "6"),
        ("10", 1, 3, "3.33333333"),
        ("-10", 1, 3, "-3.33333333"),
        ("-2", 5, 1, "-10"),
    ],
)
def test_a_split_changes_the_units_and_keeps_the_cost(
    quantity: str, to: int, of: int, after: str
) -> None:
    held = position(quantity, d(quantity) * 90)
    where = portfolio(held=held)
    change = move(where, K.SPLIT, symbol="ACME", split_to=to, split_from=of)
    assert change.position is not None
    assert (change.position.quantity, change.position.cost_basis) == (d(after), held.cost_basis)
    assert cash(change) == {"USD": 1000}


def test_a_split_waits_for_resting_orders_and_leaves_something() -> None:
    for promised in ({"reserved_quantity": d(1)}, {"reserved_notional": d(90)}):
        with pytest.raises(Conflict, match="resting"):
            move(portfolio(held=position(4, 360, **promised)), K.SPLIT, symbol="ACME", split_to=2)
    dust = portfolio(held=position("0.00000001", 1))
    assert refused(dust, K.SPLIT, symbol="ACME", split_from=2).field == "split_to"
    huge = portfolio(held=position(10**11, 1))
    assert refused(huge, K.SPLIT, symbol="ACME", split_to=10).field == "split_to"


def test_corrections_of_a_short_cost_what_it_cost_and_realize_nothing() -> None:
    short = portfolio(account(margin=True), position(-4, -360))
    less = move(short, K.CORRECTION, symbol="ACME", quantity=d(1)).position
    assert less is not None
    assert (less.quantity, less.cost_basis, less.realized_pnl) == (-3, -270, 0)
    more = move(short, K.CORRECTION, symbol="ACME", quantity=d(-1), unit_cost=d(100)).position
    assert more is not None
    assert (more.quantity, more.cost_basis) == (-5, -460)
    assert refused(short, K.CORRECTION, symbol="ACME", quantity=d(5)).field == "quantity"
    nothing = portfolio()
    assert refused(nothing, K.CORRECTION, symbol="ACME", quantity=d(-1)).field == "quantity"


def test_the_proceeds_of_shorts_cannot_be_taken_out() -> None:
    owner = having({"USD": d(5000)}, margin=True)
    short = portfolio(owner, position(-40, -4000))
    assert "1000" in refused(short, K.WITHDRAWAL, amount=d(1001)).detail
    assert cash(move(short, K.WITHDRAWAL, amount=d(1000))) == {"USD": 4000}


def test_a_day_s_interest_is_on_owed_cash_and_on_shorts() -> None:
    cash_of = {"USD": d(5000), "EUR": d(-100)}
    owner = having(cash_of, margin=True, borrow_rate=d("0.0365"))
    change = accrued(portfolio(owner, position(-40, -4000)), NOW, NOW)
    assert change is not None
    assert cash(change) == {"USD": 5000 - d("0.4"), "EUR": -100 - d("0.01")}
    assert change.account is not None
    assert change.account.income == {"USD": d("-0.4"), "EUR": d("-0.01")}
    assert change.marker == "borrow:2026-03-02"
    assert accrued(portfolio(account(borrow_rate=d("0.1"))), NOW, NOW) is None


def test_a_rate_is_the_newest_of_any_symbol_that_quotes_the_pair() -> None:
    def quote(symbol: str, value: str, age: int) -> tuple[str, Price]:
        return symbol, price(value, age).model_copy(update={"symbol": symbol})

    known = dict([quote("EUR-USD", "1.1", 9), quote("USDEUR", "0.8", 3), quote("JPYUSD", "2", 0)])
    newest = rate_between(known, "EUR", "USD")
    assert newest is not None
    assert (newest.rate, newest.symbol) == (d("1.25"), "USDEUR")
    assert rates_to(known, ["EUR", "JPY", "GBP"], "USD") == {"EUR": d("1.25"), "JPY": d(2)}


def test_the_fingerprint_tells_requests_apart_and_not_ways_to_write_them() -> None:
    def of(**fields: Any) -> str:
        given = {"kind": K.DEPOSIT, "cause": "a", "currency": "USD", "amount": d(5)} | fields
        return HoldingsUpdate(**given).fingerprint

    assert of() == of(cause="b") == of(amount=d("5.00")) == of(note=None)
    others: list[dict[str, Any]] = [
        {"amount": d(6)}, {"kind": K.WITHDRAWAL}, {"currency": "EUR"}, {"note": "x"},
        {"symbol": "ACME"}, {"quantity": d(1)}, {"unit_cost": d(0)}, {"per_unit": d(1)},
        {"split_to": 2}, {"split_from": 2}, {"to_currency": "EUR"}, {"rate": d(1)},
    ]  # fmt: skip
    assert {name for other in others for name in other} == (
        set(HoldingsUpdate.model_fields) - {"cause"}
    )
    assert len({of(), *(of(**other) for other in others)}) == len(others) + 1
