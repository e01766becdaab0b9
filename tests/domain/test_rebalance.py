"""Plans: bands, caps, buffers, lots, and that no plan spends or sells what is not there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.domain.builders import NOW, account, d
from trading.domain.candle import Price
from trading.domain.errors import Conflict, MissingRate
from trading.domain.fill_model import FillModel, SlippageModel
from trading.domain.instrument import Instrument
from trading.domain.order import Side
from trading.domain.portfolio import Portfolio
from trading.domain.position import Position
from trading.domain.rebalance import BandKind, Plan, RebalanceTerms, leave_buffer, plan_trades
from trading.domain.trade_costs import purchase_cost, sale_proceeds

SYMBOLS = ("AAA", "BBB", "CCC")


def instrument(symbol: str, currency: str = "USD", lot: str = "1") -> Instrument:
    return Instrument(
        symbol=symbol,
        base_currency=symbol,
        quote_currency=currency,
        tick_size=d("0.01"),
        lot_size=d(lot),
        min_notional=d(10),
        max_price_age_seconds=60,
    )


def held(symbol: str, quantity: str, currency: str = "USD", **more: Any) -> Position:
    return Position(symbol=symbol, currency=currency, quantity=d(quantity), cost_basis=d(0), **more)


def books(
    cash: str,
    holdings: dict[str, str] | None = None,
    prices: dict[str, str] | None = None,
    rate: str = "0",
    **more: Any,
) -> Portfolio:
    """USD cash and holdings; everything costs 100 unless said otherwise."""
    marks = dict.fromkeys(SYMBOLS, "100") | (prices or {})
    return Portfolio(
        account=account(cash, rate, **more),
        positions={s: held(s, q) for s, q in (holdings or {}).items()},
        prices={s: Price(symbol=s, price=d(p), time=NOW, source="t") for s, p in marks.items()},
    )


def plan(portfolio: Portfolio, weights: dict[str, str], **terms: Any) -> Plan:
    known = {s: instrument(s) for s in SYMBOLS}
    wanted = {s: d(w) for s, w in weights.items()}
    return plan_trades(portfolio, known, wanted, RebalanceTerms(**terms))


def trades(made: Plan) -> list[tuple[str, str, Decimal]]:
    return [(t.symbol, t.side.value, t.quantity) for t in made.trades]


def test_a_fully_invested_portfolio_rotates_in_one_plan_sells_first() -> None:
    made = plan(books("0", {"BBB": "100"}), {"AAA": "0.6", "BBB": "0.4"})
    assert trades(made) == [("BBB", "sell", 60), ("AAA", "buy", 60)]


def test_commission_and_spread_of_both_sides_come_out_of_the_buys() -> None:
    model = FillModel(spread_bps=d(100))
    portfolio = books("0", {"BBB": "100"}, rate="0.001", fill_model=model)
    made = plan(portfolio, {"AAA": "1", "BBB": "0"})
    # 100 are sold at 99.5 less 0.1 %, 9940.05; each bought one takes 100.5 and 0.1 %, 100.6005.
    assert trades(made) == [("BBB", "sell", 100), ("AAA", "buy", 98)]


@pytest.mark.parametrize(
    ("kind", "band", "moved"),
    [("absolute", "0.1", False), ("absolute", "0.0999", True),
     ("relative", "0.25", False), ("relative", "0.2499", True)],
)  # fmt: skip
def test_only_symbols_outside_their_band_trade_and_then_all_the_way(
    kind: str, band: str, moved: bool
) -> None:
    portfolio = books("5000", {"AAA": "50"})
    made = plan(portfolio, {"AAA": "0.4"}, band=d(band), band_kind=BandKind(kind))
    assert trades(made) == ([("AAA", "sell", 10)] if moved else [])
    assert made.left == ({} if moved else {"AAA": "inside its band"})


def test_a_relative_band_around_nothing_lets_nothing_stay() -> None:
    made = plan(books("0", {"AAA": "1"}), {"AAA": "0"}, band=d("0.5"), band_kind=BandKind.RELATIVE)
    assert trades(made) == [("AAA", "sell", 1)]


def test_small_trades_are_left_and_said_to_be() -> None:
    portfolio = books("10000", prices={"BBB": "3"})
    made = plan(portfolio, {"AAA": "0.03", "BBB": "0.0008", "CCC": "0.005"}, min_trade=d(301))
    assert trades(made) == []
    assert made.left == {
        "AAA": "below min_trade",
        "BBB": "below the instrument's min_notional",
        "CCC": "less than a lot",
    }


@pytest.mark.parametrize(
    "terms",
    [{"buffer_fraction": d("0.1")}, {"buffer_amount": d(1000)},
     {"buffer_fraction": d("0.05"), "buffer_amount": d(1000)}],
)  # fmt: skip
def test_the_larger_buffer_stays_in_cash(terms: dict[str, Decimal]) -> None:
    made = plan(books("10000"), {"AAA": "0.5", "BBB": "0.5"}, **terms)
    assert trades(made) == [("AAA", "buy", 45), ("BBB", "buy", 45)]
    assert made.weights == {"AAA": d("0.45"), "BBB": d("0.45")}


def test_a_buffer_that_is_missing_is_sold_for() -> None:
    made = plan(books("0", {"AAA": "100"}), {"AAA": "1"}, buffer_fraction=d("0.1"))
    assert trades(made) == [("AAA", "sell", 10)]


def test_a_turnover_cap_serves_sells_first_and_scales_what_is_over() -> None:
    portfolio = books("2000", {"AAA": "80"})
    goal = {"AAA": "0.4", "BBB": "0.6"}
    assert trades(plan(portfolio, goal)) == [("AAA", "sell", 40), ("BBB", "buy", 60)]
    capped = plan(portfolio, goal, max_turnover=d("0.5"))
    assert trades(capped) == [("AAA", "sell", 40), ("BBB", "buy", 10)]
    tight = plan(portfolio, goal, max_turnover=d("0.2"))
    assert trades(tight) == [("AAA", "sell", 20)]
    assert tight.left == {"BBB": "max_turnover leaves no room"}
    assert trades(plan(portfolio, goal, max_turnover=d(0))) == []


def test_what_waits_in_the_book_counts_as_done() -> None:
    portfolio = books("10000")
    waiting = {
        "AAA": held("AAA", "0", reserved_notional=d(2000)),
        "BBB": held("BBB", "50", reserved_quantity=d(30)),
    }
    portfolio = portfolio.model_copy(update={"positions": waiting})
    # Equity is 15,000: 20 % are 3,000 of AAA; of BBB 10 % are 15 units, 20 are free.
    made = plan(portfolio, {"AAA": "0.2", "BBB": "0.1"})
    assert trades(made) == [("BBB", "sell", 5), ("AAA", "buy", 10)]
    done = plan(portfolio, {"AAA": "0.1", "BBB": "0.2"})
    assert trades(done) == []
    assert set(done.left.values()) == {"orders that wait in the book cover the difference"}


def test_a_busy_symbol_is_left() -> None:
    wanted = {"AAA": d("0.5")}
    made = plan_trades(
        books("1000"), {"AAA": instrument("AAA")}, wanted, RebalanceTerms(), {"AAA", "ZZZ"}
    )
    assert made.left == {"AAA": "its last recommendation is still on its way"}


def test_cash_that_was_promised_is_not_spent() -> None:
    portfolio = books("1000", reserved={"USD": d(600)})
    assert trades(plan(portfolio, {"AAA": "1"})) == [("AAA", "buy", 4)]


def test_weights_are_of_equity_in_base_and_buys_take_their_own_currencys_cash() -> None:
    owner = account("0", "0").model_copy(update={"cash": {"USD": d(1000), "EUR": d(500)}})
    marks = {s: Price(symbol=s, price=d(10), time=NOW, source="t") for s in ("AAA", "EEE")}
    portfolio = Portfolio(account=owner, prices=marks, rates={"EUR": d(2)})
    known = {"AAA": instrument("AAA"), "EEE": instrument("EEE", "EUR")}
    weights = {"AAA": d("0.6"), "EEE": d("0.4")}
    made = plan_trades(portfolio, known, weights, RebalanceTerms())
    # Equity is 2,000 USD: 1,200 of AAA, but there are only 1,000 USD; 800 USD are 40 EEE of 10 EUR.
    assert trades(made) == [("AAA", "buy", 100), ("EEE", "buy", 40)]
    assert [t.notional for t in made.trades] == [1000, 800]
    with pytest.raises(MissingRate):
        plan_trades(portfolio.model_copy(update={"rates": {}}), known, weights, RebalanceTerms())


def test_with_margin_a_negative_weight_sells_short_and_weights_above_one_borrow() -> None:
    portfolio = books("10000", margin=True)
    made = plan(portfolio, {"AAA": "1.3", "BBB": "-0.5"})
    assert trades(made) == [("BBB", "sell", 50), ("AAA", "buy", 130)]
    assert trades(plan(portfolio, {"AAA": "1.5"})) == [("AAA", "buy", 150)]
    flip = plan(books("20000", {"AAA": "-100"}, margin=True), {"AAA": "0.5"})
    assert trades(flip) == [("AAA", "buy", 150)]


@pytest.mark.parametrize("cash", ["0", "-5"])
def test_without_equity_there_is_nothing_to_allocate(cash: str) -> None:
    with pytest.raises(Conflict, match="no equity"):
        plan(books(cash), {"AAA": "1"})


def test_the_buffer_scales_only_the_long_weights() -> None:
    weights = {"AAA": d("0.9"), "BBB": d("0.6"), "CCC": d("-0.5")}
    assert leave_buffer(weights, d("0.1")) == {
        "AAA": d("0.84"), "BBB": d("0.56"), "CCC": d("-0.5"),
    }  # fmt: skip
    assert leave_buffer(weights, d(0)) == weights


money = st.integers(0, 10**9).map(lambda n: Decimal(n).scaleb(-2))
price = st.integers(1, 10**6).map(lambda n: Decimal(n).scaleb(-2))
units = st.integers(0, 10**5).map(lambda n: Decimal(n).scaleb(-1))
part = st.integers(0, 333).map(lambda n: Decimal(n).scaleb(-3))
models = st.builds(
    FillModel,
    spread_bps=st.integers(0, 100).map(Decimal),
    slippage=st.sampled_from(SlippageModel),
    slippage_bps=st.integers(0, 100).map(Decimal),
)


@given(
    cash=money,
    quantities=st.lists(units, min_size=3, max_size=3),
    prices=st.lists(price, min_size=3, max_size=3),
    weights=st.lists(part, min_size=3, max_size=3),
    promised=part,
    rate=st.integers(0, 100).map(lambda n: Decimal(n).scaleb(-4)),
    model=models,
    terms=st.builds(
        RebalanceTerms,
        band=st.sampled_from([d(0), d("0.05"), d("0.2")]),
        band_kind=st.sampled_from(BandKind),
        min_trade=st.sampled_from([d(0), d(500)]),
        buffer_fraction=st.sampled_from([d(0), d("0.07")]),
        buffer_amount=st.sampled_from([d(0), d(100)]),
        max_turnover=st.sampled_from([None, d("0.1"), d("0.5")]),
    ),
)
def test_no_plan_spends_or_sells_what_is_not_there_nor_breaks_its_terms(
    cash: Decimal,
    quantities: list[Decimal],
    prices: list[Decimal],
    weights: list[Decimal],
    promised: Decimal,
    rate: Decimal,
    model: FillModel,
    terms: RebalanceTerms,
) -> None:
    owner = account(str(cash), str(rate), fill_model=model)
    positions = {
        s: held(s, str(q)).model_copy(update={"reserved_quantity": q * promised})
        for s, q in zip(SYMBOLS, quantities, strict=True)
    }
    marks = {
        s: Price(symbol=s, price=p, time=NOW, source="t", volume=d(1000))
        for s, p in zip(SYMBOLS, prices, strict=True)
    }
    portfolio = Portfolio(account=owner, positions=positions, prices=marks)
    equity = portfolio.equity
    assume(equity > 0)
    known = {s: instrument(s, lot="0.5") for s in SYMBOLS}
    made = plan_trades(portfolio, known, dict(zip(SYMBOLS, weights, strict=True)), terms)

    left = cash
    for trade in made.trades:
        one, mark, before = known[trade.symbol], marks[trade.symbol], positions[trade.symbol]
        assert trade.quantity > 0
        assert trade.quantity % one.lot_size == 0
        assert trade.notional >= max(terms.min_trade, one.min_notional)
        assert trade.target.drifted(equity, terms)
        goal = made.weights[trade.symbol] * equity
        if trade.side is Side.SELL:
            assert trade.quantity <= before.quantity - before.reserved_quantity
            assert before.market_value(mark.price) - trade.notional >= min(
                goal, before.market_value(mark.price)
            )
            left += sale_proceeds(trade.quantity, mark, one, owner)
        else:
            assert before.market_value(mark.price) + trade.notional <= goal
            left -= purchase_cost(trade.quantity, mark, one, owner)
            assert left >= terms.buffer(equity)
    sides = [t.side for t in made.trades]
    assert sides == sorted(sides, key=lambda side: side is Side.BUY)
    if terms.max_turnover is not None:
        assert sum(t.notional for t in made.trades) <= terms.max_turnover * equity
    assert {t.symbol for t in made.trades}.isdisjoint(made.left)
    assert set(made.left) | {t.symbol for t in made.trades} == set(SYMBOLS)
