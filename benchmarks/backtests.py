"""Backtests beside the peers', in one run: an SMA 10/30 crossover over seeded random walks.

Long only, all in, at the next open, 0.1 % commission, whole units; from columns to statistics. The
peers run in an environment of their own that is thrown away: vectorbt (both engines),
backtesting.py and backtrader. Warm is the best of several runs in one process, cold a whole process
from start to end. Final equity and number of entries are held against backtesting.py's, whose rules
are the same but that it first looks at the bar after both averages exist; ours is told to as well.

    python -m benchmarks.backtests [--bars 100000] [--plot docs/backtest_scaling.svg]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import described

PEERS = ("vectorbt[rust]==1.2.0", "backtesting==0.6.6", "backtrader==1.9.78.123")
SCRIPT = Path(__file__).parent / "peers" / "sma_cross.py"
CASH = 1_000_000_000
PAIRS = [(fast, slow) for fast in range(2, 42) for slow in range(50, 150, 4)]
SLOW_PEERS = {"backtrader": 1, "backtesting": 2}
COLUMNS = ("time", "open", "high", "low", "close", "volume")


def walk(bars: int) -> dict[str, np.ndarray[Any, Any]]:
    """A seeded random walk in cents, hourly, whose opens are off the closes before."""
    random = np.random.default_rng(1)
    close = np.round(100 * np.exp(np.cumsum(random.normal(0, 0.002, bars))), 2)
    close = np.clip(close, 1, 1e6)
    opened = np.round(np.append(100, close[:-1]) * np.exp(random.normal(0, 0.0005, bars)), 2)
    high, low = np.maximum(opened, close), np.minimum(opened, close)
    values = (np.arange(bars) * 3600.0, opened, high, low, close, np.full(bars, 1e6))
    return dict(zip(COLUMNS, values, strict=True))


def setup(fast: int = 10, slow: int = 30, **given: Any) -> Any:
    """Our configuration."""
    from trading.domain.backtest import BacktestConfig

    instrument = {
        "symbol": "A", "base_currency": "A", "quote_currency": "USD", "tick_size": "0.01",
        "lot_size": "1", "min_notional": "0", "max_price_age_seconds": 2_000_000,
    }  # fmt: skip
    return BacktestConfig.model_validate({
        "strategy": "ma_cross", "parameters": {"fast": fast, "slow": slow}, "symbols": ["A"],
        "timeframe": "1h", "instruments": {"A": instrument}, "base_currency": "USD",
        "cash": CASH, "commission_rate": "0.001", "policy": {"target_fraction": "1"}, **given,
    })  # fmt: skip


def ours(data: dict[str, Any], config: Any) -> tuple[int, float]:
    """From columns to statistics; entries and last equity."""
    from trading.backtesting import run_backtest
    from trading.quant.simulation.market import Market
    from trading.quant.simulation.scoring import score_market
    from trading.quant.statistics.backtest import statistics_of
    from trading.quant.strategies.scored import NO_SCORE
    from trading.quant.strategies.strategy import Candles

    market = Market.of([Candles("A", "1h", *(data[name] for name in COLUMNS))])
    says = score_market(config, market)
    says["A"].scores[29] = NO_SCORE
    result = run_backtest(config, market, says=says)
    statistics_of(result, market)
    return int((result.fills.quantity > 0).sum()), float(result.equity[-1])


def best(work: Callable[[], Any], runs: int) -> float:
    """The least seconds of several runs, after one that does not count."""
    work()
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def installed(folder: Path) -> Path:
    """Make an environment with the peers; returns its interpreter."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    pip = [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    subprocess.run([*pip, *PEERS], check=True)
    return python


def theirs(python: Path, engine: str, data: Path, runs: int) -> dict[str, Any]:
    """Run a peer; what it prints, and the seconds that the whole process took."""
    start = time.perf_counter()
    run = subprocess.run(
        [python, SCRIPT, engine, data, str(runs)], check=True, capture_output=True, text=True
    )
    found: dict[str, Any] = json.loads(run.stdout.strip().splitlines()[-1])
    return found | {"process": time.perf_counter() - start}


def one_run(python: Path, bars: int, folder: Path) -> Iterator[str]:
    """One backtest, warm and cold, and whether the outcome is the same."""
    data = walk(bars)
    path = folder / "walk.npz"
    np.savez(path, **data)  # type: ignore[arg-type]
    fast = best(lambda: ours(data, setup()), 9)
    reference = best(lambda: ours(data, setup(gear="reference")), 1) if bars <= 100_000 else None
    entries, equity = ours(data, setup())
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "benchmarks.backtests", "--cold", path], check=True)
    cold = time.perf_counter() - start
    yield f"\nOne run over {bars:,} bars, from columns to statistics"
    yield f"{'':28}{'bars/s warm':>14}{'ours is':>10}{'cold s':>9}{'entries':>9}  last equity"
    yield f"{'ours, fast gear':28}{bars / fast:14,.0f}{'':10}{cold:9.2f}{entries:9}  {equity:,.2f}"
    if reference is not None:
        yield f"{'ours, reference gear':28}{bars / reference:14,.0f}"
    for engine in ("vectorbt-rust", "vectorbt-numba", "backtesting", "backtrader"):
        if bars > 100_000 and engine.startswith("back"):
            continue
        found = theirs(python, engine, path, SLOW_PEERS.get(engine, 5))
        once = theirs(python, engine, path, 0)["process"]
        name = f"{engine} {found['version']}"
        yield (
            f"{name:28}{bars / found['warm']:14,.0f}{found['warm'] / fast:9.1f}x{once:9.2f}"
            f"{found['entries']:9}  {found['equity']:,.2f}"
        )
        if engine == "backtesting":
            same = found["entries"] == entries and abs(found["equity"] - equity) < 0.005
            yield f"{'':28}the same to the cent: {'yes' if same else 'NO'}"


def sweep(python: Path, folder: Path) -> Iterator[str]:
    """A thousand pairs over 10,000 bars: seconds, and the most memory of the process."""
    data = walk(10_000)
    path = folder / "sweep.npz"
    np.savez(path, **data)  # type: ignore[arg-type]
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.backtests", "--sweep", path],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    mine = json.loads(run.stdout.strip().splitlines()[-1])
    found = theirs(python, "vectorbt-sweep", path, 1)
    yield f"\nA sweep of {len(PAIRS):,} pairs over 10,000 bars"
    yield f"{'ours, one process':28}{mine['warm']:9.2f} s{mine['megabytes']:9.0f} MB"
    yield (
        f"{'vectorbt':28}{found['warm']:9.2f} s{found['megabytes']:9.0f} MB;"
        f" ours is {found['warm'] / mine['warm']:.1f}x"
    )


def swept(path: Path) -> None:
    """Our sweep in a process of its own, so that its memory can be told."""
    from trading.quant.simulation.market import Market
    from trading.quant.strategies.strategy import Candles
    from trading_cli.sweep import sweep as run

    data = dict(np.load(path))
    market = Market.of([Candles("A", "1h", *(data[name] for name in COLUMNS))])
    combinations = [{"fast": fast, "slow": slow} for fast, slow in PAIRS]
    took = best(lambda: run(setup(), market, combinations), 3)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps({"warm": took, "megabytes": peak}) + "\n")


def scaling(plot: Path) -> Iterator[str]:
    """Seconds and memory from 10^4 to 10^7 bars, as a table and a plot."""
    import plotly.graph_objects as go

    sizes, seconds, memory = (10**4, 10**5, 10**6, 10**7), [], []
    yield f"\n{'bars':>12}{'seconds':>10}{'MB above start':>16}"
    for bars in sizes:
        run = subprocess.run(
            [sys.executable, "-m", "benchmarks.backtests", "--size", str(bars)],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        found = json.loads(run.stdout.strip().splitlines()[-1])
        seconds.append(found["warm"])
        memory.append(found["megabytes"])
        yield f"{bars:12,}{seconds[-1]:10.4f}{memory[-1]:16.0f}"
    figure = go.Figure()
    figure.add_scatter(x=sizes, y=seconds, name="seconds", mode="lines+markers")
    figure.add_scatter(x=sizes, y=memory, name="megabytes", mode="lines+markers", yaxis="y2")
    figure.update_layout(
        template="plotly_white", title="One backtest, from columns to statistics",
        xaxis={"type": "log", "title": "bars"}, yaxis={"type": "log", "title": "seconds"},
        yaxis2={"type": "log", "title": "MB", "overlaying": "y", "side": "right"},
    )  # fmt: skip
    figure.write_html(plot, include_plotlyjs=True)


def sized(bars: int) -> None:
    """One size in a process of its own."""
    data, config = walk(bars), setup()
    ours(walk(1000), config)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    took = best(lambda: ours(data, config), 2)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
    sys.stdout.write(json.dumps({"warm": took, "megabytes": max(peak, 0.1)}) + "\n")


def main() -> None:
    """Print the report, or do one part of it in a process of its own."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--bars", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--plot", type=Path, default=Path(".local/backtest_scaling.html"))
    parser.add_argument("--cold", type=Path)
    parser.add_argument("--sweep", type=Path)
    parser.add_argument("--size", type=int)
    given = parser.parse_args()
    if given.cold:
        ours(dict(np.load(given.cold)), setup())
    elif given.sweep:
        swept(given.sweep)
    elif given.size:
        sized(given.size)
    else:
        report(given.bars, given.plot)


def report(sizes: list[int], plot: Path) -> None:
    """Everything, line by line."""
    plot.parent.mkdir(parents=True, exist_ok=True)
    print(f"Backtests. {described()}.", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = installed(folder / "peers")
        for bars in sizes:
            for line in one_run(python, bars, folder):
                print(line, flush=True)
        for line in (*sweep(python, folder), *scaling(plot)):
            print(line, flush=True)


if __name__ == "__main__":
    main()
