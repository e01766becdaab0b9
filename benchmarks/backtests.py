"""Backtests beside the peers', in one run: an SMA 10/30 crossover over walks and real candles.

Long only, all in, at the next open, 0.1 % commission, whole units; from columns to statistics. The
peers run in an environment of their own that is thrown away: a hand-written numba loop, vectorbt
(both engines), backtesting.py and backtrader. Everyone gets turns: in each of several rounds every
engine runs in a new process, once to warm up and then as often as all others that are as fast, and
its best run counts. Cold is a whole process from start to end, the best of two. Final equity and
number of entries are held against backtesting.py's, whose rules are the same but that it first
looks at the bar after both averages exist; ours is told to as well. The numba loop works with
floats, without statistics: it shows what the work itself takes.

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
import tracemalloc
import venv
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import described

PEERS = ("vectorbt[rust]==1.2.0", "backtesting==0.6.6", "backtrader==1.9.78.123")
SCRIPT = Path(__file__).parent / "peers" / "sma_cross.py"
CASH = 1_000_000_000
PAIRS = [(fast, slow) for fast in range(2, 42) for slow in range(50, 150, 4)]
ROUNDS = 3
RUNS = 7
"""Timed runs of a round; one for the engines that take a second or more."""
SLOW = {"backtrader", "backtesting", "ours-reference"}
ENGINES = (
    "ours-fast", "ours-reference", "vectorbt-rust", "vectorbt-numba", "backtesting", "backtrader",
    "numba-loop",
)  # fmt: skip
MOST_BARS = 100_000
"""The slow engines are not asked for more."""
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


def euro() -> dict[str, np.ndarray[Any, Any]]:
    """Hourly EURUSD of 2017 and 2018, which the package backtesting carries."""
    import pandas as pd

    path = distribution("backtesting").locate_file("backtesting/test/EURUSD.csv")
    frame = pd.read_csv(str(path), index_col=0, parse_dates=True)
    columns = {n: np.round(frame[n.title()].to_numpy(float), 5) for n in COLUMNS[1:]}
    columns["high"] = np.maximum.reduce([columns[n] for n in ("high", "open", "close")])
    columns["low"] = np.minimum.reduce([columns[n] for n in ("low", "open", "close")])
    return {"time": frame.index.to_numpy().astype("datetime64[s]").astype(float), **columns}


def setup(fast: int = 10, slow: int = 30, **given: Any) -> Any:
    """Our configuration; ticks are finer than any of the prices."""
    from trading.domain.backtest import BacktestConfig

    instrument = {
        "symbol": "A", "base_currency": "A", "quote_currency": "USD", "tick_size": "0.00001",
        "lot_size": "1", "min_notional": "0", "max_price_age_seconds": 2_000_000,
    }  # fmt: skip
    return BacktestConfig.model_validate({
        "strategy": "ma_cross", "parameters": {"fast": fast, "slow": slow}, "symbols": ["A"],
        "timeframe": "1h", "instruments": {"A": instrument}, "base_currency": "USD",
        "cash": CASH, "commission_rate": "0.001", **given,
        "policy": {"target_fraction": "1", "valid_for_seconds": 2_000_000},
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
    """Run an engine in a new process; what it prints, and the seconds that all of it took."""
    ours_too = [sys.executable, "-m", "benchmarks.backtests", "--engine", engine]
    command = ours_too if engine.startswith("ours") else [python, "-I", SCRIPT, engine]
    start = time.perf_counter()
    run = subprocess.run([*command, data, str(runs)], check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(run.stdout.strip().splitlines()[-1])
    return found | {"process": time.perf_counter() - start}


def own_engine(engine: str, path: Path, runs: int) -> None:
    """Run ours as the peers' script runs theirs, and print the same line."""
    data = dict(np.load(path))
    config = setup(gear=engine.removeprefix("ours-"))
    seconds = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        entries, equity = ours(data, config)
        seconds.append(time.perf_counter() - start)
    found = {"warm": min(seconds[1:] or seconds), "entries": entries, "equity": equity}
    sys.stdout.write(json.dumps(found | {"version": ""}) + "\n")


def one_run(python: Path, title: str, data: dict[str, Any], folder: Path) -> Iterator[str]:
    """One backtest by every engine, warm and cold, and whether the outcome is the same."""
    bars = len(data["time"])
    path = folder / "candles.npz"
    np.savez(path, **data)
    engines = [e for e in ENGINES if bars <= MOST_BARS or e not in SLOW]
    found: dict[str, dict[str, Any]] = {}
    for _ in range(ROUNDS):
        for engine in engines:
            run = theirs(python, engine, path, 1 if engine in SLOW else RUNS)
            warm = min(run["warm"], found.get(engine, run)["warm"])
            found[engine] = run | {"warm": warm}
    cold = {e: min(theirs(python, e, path, 0)["process"] for _ in range(2)) for e in engines}
    fast = found["ours-fast"]["warm"]
    yield f"\n{title}: {bars:,} bars, from columns to statistics"
    yield f"{'':26}{'bars/s warm':>14}{'ours is':>10}{'cold s':>9}{'entries':>9}  last equity"
    for engine in engines:
        run = found[engine]
        name = f"{engine} {run['version']}".strip()
        ratio = "" if engine == "ours-fast" else f"{run['warm'] / fast:.1f}x"
        yield (
            f"{name:26}{bars / run['warm']:14,.0f}{ratio:>10}{cold[engine]:9.2f}"
            f"{run['entries']:9}  {run['equity']:,.2f}"
        )
    peer, own = found.get("backtesting"), found["ours-fast"]
    if peer is not None:
        same = peer["entries"] == own["entries"] and abs(peer["equity"] - own["equity"]) < 0.005
        yield f"{'':26}to the cent, ours is {'the' if same else 'NOT the'} same as backtesting.py's"


def sweep(python: Path, folder: Path) -> Iterator[str]:
    """A thousand pairs over 10,000 bars: seconds, and the most memory of the process."""
    path = folder / "sweep.npz"
    np.savez(path, **walk(10_000))  # type: ignore[arg-type]
    mine: list[dict[str, Any]] = []
    peers: list[dict[str, Any]] = []
    for _ in range(ROUNDS):
        run = subprocess.run(
            [sys.executable, "-m", "benchmarks.backtests", "--sweep", path],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        mine.append(json.loads(run.stdout.strip().splitlines()[-1]))
        peers.append(theirs(python, "vectorbt-sweep", path, 2))
    own, peer = (min(each["warm"] for each in runs) for runs in (mine, peers))
    most = [max(each["megabytes"] for each in runs) for runs in (mine, peers)]
    yield f"\nA sweep of {len(PAIRS):,} pairs over 10,000 bars"
    yield f"{'ours, one process':26}{own:9.2f} s{most[0]:9.0f} MB"
    yield f"{'vectorbt':26}{peer:9.2f} s{most[1]:9.0f} MB; ours is {peer / own:.1f}x"


def swept(path: Path) -> None:
    """Our sweep in a process of its own, so that its memory can be told."""
    from trading.quant.simulation.market import Market
    from trading.quant.strategies.strategy import Candles
    from trading_cli.sweep import sweep as run

    data = dict(np.load(path))
    market = Market.of([Candles("A", "1h", *(data[name] for name in COLUMNS))])
    combinations = [{"fast": fast, "slow": slow} for fast, slow in PAIRS]
    took = best(lambda: run(setup(), market, combinations), 2)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps({"warm": took, "megabytes": peak}) + "\n")


def scaling(plot: Path) -> Iterator[str]:
    """Seconds and memory from 10^4 to 10^7 bars, as a table and a plot."""
    sizes, seconds, memory = (10**4, 10**5, 10**6, 10**7), [], []
    yield f"\n{'bars':>12}{'seconds':>10}{'ns a bar':>10}{'MB':>9}{'bytes a bar':>13}"
    for bars in sizes:
        run = subprocess.run(
            [sys.executable, "-m", "benchmarks.backtests", "--size", str(bars)],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        found = json.loads(run.stdout.strip().splitlines()[-1])
        seconds.append(found["warm"])
        memory.append(found["megabytes"])
        yield (
            f"{bars:12,}{seconds[-1]:10.4f}{seconds[-1] / bars * 1e9:10.1f}{memory[-1]:9.1f}"
            f"{memory[-1] / bars * 2**20:13.0f}"
        )
    drawn(plot, sizes, seconds, memory)
    yield f"drawn in {plot}"


def drawn(
    plot: Path, sizes: Sequence[int], seconds: Sequence[float], memory: Sequence[float]
) -> None:
    """Draw both curves, each beside the straight line through its last point."""
    import matplotlib as mpl

    mpl.use("svg")
    # The same bytes for the same figures.
    mpl.rcParams["svg.hashsalt"] = "backtests"
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6))
    for axis, values, name in zip(axes, (seconds, memory), ("seconds", "MB"), strict=True):
        line = [values[-1] * bars / sizes[-1] for bars in sizes]
        axis.loglog(sizes, line, "--", color="silver", label="in proportion to bars")
        axis.loglog(sizes, values, "o-", color="#1f6feb", label=name)
        axis.set_xlabel("bars")
        axis.set_ylabel(name)
        axis.grid(visible=True, alpha=0.3)
        axis.legend(frameon=False)
    figure.suptitle("One backtest, from columns to statistics")
    figure.tight_layout()
    plot.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(plot, format="svg", metadata={"Date": None})


def sized(bars: int) -> None:
    """One size in a process of its own: seconds, and the most memory beside its columns."""
    data, config = walk(bars), setup()
    took = best(lambda: ours(data, config), 3)
    # Counts what Python and numpy take, to the byte; watching slows the run that is watched.
    tracemalloc.start()
    ours(data, config)
    _, peak = tracemalloc.get_traced_memory()
    sys.stdout.write(json.dumps({"warm": took, "megabytes": peak / 2**20}) + "\n")


def main() -> None:
    """Print the report, or do one part of it in a process of its own."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--bars", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--plot", type=Path, default=Path(".local/backtest_scaling.svg"))
    parser.add_argument("--engine", nargs=3)
    parser.add_argument("--sweep", type=Path)
    parser.add_argument("--size", type=int)
    given = parser.parse_args()
    if given.engine:
        engine, path, runs = given.engine
        own_engine(engine, Path(path), int(runs))
    elif given.sweep:
        swept(given.sweep)
    elif given.size:
        sized(given.size)
    else:
        report(given.bars, given.plot)


def report(sizes: list[int], plot: Path) -> None:
    """Everything, line by line."""
    print(f"Backtests. {described()}.", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = installed(folder / "peers")
        candles = [(f"Random walk {bars:,}", walk(bars)) for bars in sizes]
        for title, data in (*candles, ("EURUSD, hourly", euro())):
            for line in one_run(python, title, data, folder):
                print(line, flush=True)
        for line in (*sweep(python, folder), *scaling(plot)):
            print(line, flush=True)


if __name__ == "__main__":
    main()
