"""CPU time of one market order in memory, beside two backtest engines, in the same run.

Ours is the pure domain code that mock, paper and backtest share: the order is made of its request,
judged by every rule with the verdict kept, filled, charged, and posted to the hash-chained ledger.
The peers are nautilus_trader (risk engine, matching engine, account, position) and backtrader
(broker with cash check and commission, position); they are installed into an environment that is
thrown away. All buy and sell 7 units in turn on a standing holding at a flat price; times are CPU
seconds of the orders alone, a run without orders being subtracted from the peers'. They do less
and other work, so the figures show the scale, not a ranking.

    python -m benchmarks.peer_orders [--orders 2000] [--runs 3]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.machine import described

PEERS = {
    "nautilus_trader": ("nautilus_trader==1.221.0", "nautilus.py"),
    "backtrader": ("backtrader==1.9.78.123", "backtrader_orders.py"),
}
"""The package with its version, and the script under ``peers``."""
_SCRIPTS = Path(__file__).parent / "peers"


def ours(orders: int) -> float:
    """Place so many orders one after the other; raises if not every one was filled."""
    from trading.domain.books import Snapshot
    from trading.domain.candle import Price
    from trading.domain.instrument import Instrument
    from trading.domain.money import ZERO
    from trading.domain.order_life import place
    from trading.domain.order_request import new_order
    from trading.domain.portfolio import Account, Mode, Portfolio
    from trading.domain.position import Position
    from trading.domain.risk.limits import RiskLimits

    now = datetime(2026, 1, 2, tzinfo=UTC)
    instrument = Instrument(
        symbol="ACME", base_currency="ACME", quote_currency="USD", tick_size=Decimal("0.01"),
        lot_size=Decimal(1), min_notional=Decimal(1), max_price_age_seconds=86400,
    )  # fmt: skip
    account = Account(
        portfolio_id="bench", base_currency="USD", mode=Mode.MOCK, cash={"USD": Decimal(10**7)},
        commission_rate=Decimal("0.001"), created_at=now, updated_at=now,
    )  # fmt: skip
    held = Position(symbol="ACME", currency="USD", quantity=Decimal(100), cost_basis=Decimal(10**4))
    prices = {"ACME": Price(symbol="ACME", price=Decimal(100), time=now, source="bench")}
    limits = RiskLimits(max_daily_trades=None, max_order_notional=Decimal(10**6))
    start = time.process_time()
    for number in range(orders):
        portfolio = Portfolio(account=account, positions={"ACME": held}, prices=prices)
        snapshot = Snapshot(
            portfolio=portfolio, instrument=instrument, limits=limits, trades_today=number,
            existing=None, now=now,
        )  # fmt: skip
        change = place(new_order(_request(number), snapshot), snapshot)
        if change.account is None or change.position is None:
            raise RuntimeError(f"order {number} was not filled: {change.decision}")
        account, held = change.account, change.position
    took = time.process_time() - start
    if account.ledger_sequence != orders or account.cash_in("USD") == ZERO:
        raise RuntimeError("the ledger does not hold every order")
    return took


def _request(number: int) -> Any:
    """Buy and sell in turn."""
    from trading.domain.order import OrderType, Side
    from trading.domain.order_request import OrderRequest

    return OrderRequest(
        portfolio_id="bench", symbol="ACME", side=Side.SELL if number % 2 else Side.BUY,
        type=OrderType.MARKET, quantity=Decimal(7), limit_price=None, cause=f"bench:{number}",
        correlation_id="bench",
    )  # fmt: skip


def installed(folder: Path) -> Path:
    """Make an environment with the peers; returns its interpreter."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    packages = [package for package, _ in PEERS.values()]
    subprocess.run(
        [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", *packages],
        check=True,
    )
    return python


def theirs(python: Path, script: str, orders: int) -> float:
    """Run a peer's script; returns the seconds that it prints last."""
    run = subprocess.run(
        [python, _SCRIPTS / script, str(orders)], check=True, capture_output=True, text=True
    )
    return float(run.stdout.split()[-1])


def report(orders: int, runs: int) -> Iterator[str]:
    """Time all in turn, line by line."""
    from trading.domain.risk.rules import ALL_RULES

    yield f"CPU time of a market order in memory. {described()}."
    with tempfile.TemporaryDirectory() as folder:
        python = installed(Path(folder))
        ours(min(orders, 200))  # Validators are built on first use.
        seconds: dict[str, list[float]] = {"ours": [], **{name: [] for name in PEERS}}
        for _ in range(runs):
            seconds["ours"].append(ours(orders))
            for name, (_, script) in PEERS.items():
                seconds[name].append(theirs(python, script, orders))
    titles = {"ours": f"ours, {len(ALL_RULES)} rules"} | {n: p for n, (p, _) in PEERS.items()}
    yield f"{'':28} {'µs/order':>9} {'orders/s':>9} {'ours takes':>10}"
    for name, took in seconds.items():
        ratio = median(o / t for o, t in zip(seconds["ours"], took, strict=True))
        each = median(took) / orders
        yield f"{titles[name]:28} {each * 1e6:9.0f} {1 / each:9.0f} {ratio:9.2f}x"


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--orders", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    for line in report(given.orders, given.runs):
        print(line, file=sys.stdout, flush=True)


if __name__ == "__main__":
    main()
