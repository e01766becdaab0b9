"""How many orders a second can be judged, filled and posted, in pure domain code on one core.

A market order is judged against every rule, matched and posted to the ledger, from a snapshot that
was read before: what is timed is neither reading, writing nor encoding. Limits are set on all that
the order path holds an order to; those on value at risk are timed apart, as their work grows with
the window. Times are the process's own on the processor, so that neighbours count less. Run with
``python -m benchmarks.decisions``.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from benchmarks.machine import described
from trading.domain.books import BookChange, Posting, Snapshot, post
from trading.domain.candle import Price
from trading.domain.instrument import Instrument
from trading.domain.ledger import apply_to_position
from trading.domain.order import Order, OrderType, Side
from trading.domain.order_life import order_context, place
from trading.domain.portfolio import Account, Mode, Portfolio
from trading.domain.position import Position
from trading.domain.risk.engine import judge
from trading.domain.risk.equity_marks import EquityMarks
from trading.domain.risk.limits import RiskLimits
from trading.domain.risk.rules import ALL_RULES
from trading.domain.risk.tail import ReturnSeries, TailState

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HELD = ("ACME", "BOLT", "CORK", "DUNE", "ECHO")
WINDOW = 250
ROUNDS, CALLS = 7, 2000

INSTRUMENT = Instrument(
    symbol="ACME",
    base_currency="ACME",
    quote_currency="USD",
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.01"),
    min_notional=Decimal(10),
    max_price_age_seconds=60,
)
LIMITS = RiskLimits(
    max_order_notional=Decimal(50_000),
    max_order_quantity=Decimal(1000),
    max_position_notional=Decimal(100_000),
    max_allocation_percent=Decimal(50),
    max_symbol_exposure_percent=Decimal(50),
    max_gross_leverage=Decimal(2),
    max_net_leverage=Decimal(2),
    max_short_notional=Decimal(50_000),
    max_borrowed_cash=Decimal(50_000),
    max_open_orders=50,
    max_daily_trades=1000,
    max_daily_loss=Decimal(10_000),
    max_daily_loss_percent=Decimal(10),
    max_drawdown_percent=Decimal(30),
    max_volatility_percent=Decimal(80),
    max_concentration_percent=Decimal(80),
    price_collar_percent=Decimal(50),
    duplicate_window_seconds=10,
    cooldown_seconds=60,
    allowed_symbols=HELD,
)


def snapshot(limits: RiskLimits) -> Snapshot:
    """A portfolio with five holdings, as it is read for one order."""
    account = Account(
        portfolio_id="main",
        base_currency="USD",
        mode=Mode.PAPER,
        commission_rate=Decimal("0.001"),
        cash={"USD": Decimal("60000.25")},
        reserved={"USD": Decimal(500)},
        capital={"USD": Decimal(100_000)},
        created_at=NOW,
        updated_at=NOW,
    )
    positions = {
        symbol: Position(
            symbol=symbol,
            currency="USD",
            quantity=Decimal("100.5"),
            cost_basis=Decimal("9900.75"),
            stopped_at=NOW - timedelta(hours=1),
        )
        for symbol in HELD
    }
    prices = {
        symbol: Price(
            symbol=symbol,
            price=Decimal("101.37"),
            time=NOW,
            source="bench",
            previous=Decimal("101.12"),
        )
        for symbol in HELD
    }
    times = tuple(range(WINDOW))
    returns = tuple(Decimal(i * 37 % 101 - 50).scaleb(-4) for i in range(WINDOW))
    series = ReturnSeries(symbol="ACME", timeframe="1d", as_of=NOW, times=times, returns=returns)
    return Snapshot(
        portfolio=Portfolio(account=account, positions=positions, prices=prices),
        instrument=INSTRUMENT,
        limits=limits,
        trades_today=3,
        existing=None,
        now=NOW,
        marks=EquityMarks(
            peak=Decimal(120_000),
            day=NOW.date(),
            day_open=Decimal(110_000),
            capital=account.capital,
        ),
        tail=TailState(
            portfolio_id="main",
            timeframe="1d",
            as_of=NOW,
            times=times,
            pnl=tuple(50_000 * r for r in returns),
            quantities={symbol: Decimal("100.5") for symbol in HELD},
            returns={"ACME": series},
        ),
        volatility=Decimal("0.3"),
    )


def new_order() -> Order:
    """A market order that passes every rule."""
    return Order(
        id="ord_1",
        portfolio_id="main",
        symbol="ACME",
        side=Side.BUY,
        type=OrderType.MARKET,
        quantity=Decimal("12.5"),
        currency="USD",
        cause="bench",
        request_hash="req",
        created_at=NOW,
        updated_at=NOW,
        correlation_id="bench",
    )


def microseconds(call: Callable[[], Any]) -> float:
    """Median over the rounds of the mean time of one call."""
    call()
    rounds = []
    gc.disable()
    try:
        for _ in range(ROUNDS):
            start = time.process_time()
            for _ in range(CALLS):
                call()
            rounds.append((time.process_time() - start) / CALLS * 1e6)
    finally:
        gc.enable()
    return statistics.median(rounds)


def filled(prepared: Snapshot, order: Order) -> BookChange:
    """The whole decision; fails if the order did not trade, as then nothing was measured."""
    change = place(order, prepared)
    assert change.fill is not None, change.order
    return change


def main() -> int:
    """Print microseconds and decisions a second, split into risk, matching and ledger."""
    prepared, order = snapshot(LIMITS), new_order()
    change = filled(prepared, order)
    assert change.transaction is not None
    assert change.decision is not None
    not_set = [r.rule for r in change.decision.results if "not limited" in r.message]
    names = Posting._fields
    posting = Posting(**{n: getattr(change.transaction, n) for n in names})
    account = prepared.portfolio.account
    held = prepared.portfolio.positions["ACME"]

    def ledger() -> None:
        apply_to_position(held, post(account, posting)[1])

    tail = LIMITS.model_copy(
        update={"max_var_percent": Decimal(50), "max_cvar_percent": Decimal(50)}
    )
    with_tail = snapshot(tail)
    whole = microseconds(lambda: filled(prepared, order))
    risk = microseconds(lambda: judge(order_context(order, prepared)))
    books = microseconds(ledger)
    risk_with_tail = microseconds(lambda: judge(order_context(order, with_tail)))
    print(described())
    print(f"{len(ALL_RULES)} rules, without a limit: {', '.join(not_set) or 'none'}")
    for name, value in (
        ("risk", risk),
        ("matching and fill", whole - risk - books),
        ("ledger", books),
        ("whole decision", whole),
        (f"risk, with VaR and CVaR of {WINDOW} bars", risk_with_tail),
    ):
        print(f"{name:40} {value:8.1f} µs {1e6 / value:10,.0f} /s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
