"""Backtests and sweeps on the deployed stack: async functions, state machine, buckets."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.support.laboratory import INSTRUMENT, walk
from tests.support.local_stack import LocalStack
from trading.adapters.s3.candle_archive import CandleArchive
from trading.backtesting import run_backtest
from trading.domain.backtest import BacktestConfig
from trading.quant.search.sweep import rank
from trading.quant.simulation.market import Market
from trading.quant.statistics.backtest import statistics_of
from trading.usecases.try_parameters import try_parameters

SECONDS = 120
BODY: dict[str, Any] = {
    "strategy": "ma_cross",
    "symbols": ["LAB"],
    "timeframe": "1h",
    "cash": "10000",
    "commission_rate": "0.001",
}
WALK = walk("LAB", 3000)


@pytest.fixture(scope="module")
def api(stack: LocalStack) -> Iterator[Any]:
    """A client, and an instrument whose history is in the bucket."""
    with stack.api() as client:
        client.put("/market/instruments/LAB", INSTRUMENT)
        CandleArchive(stack.client("s3"), stack.resource("CandlesBucket")).put(WALK)
        yield client


def until(read: Callable[[], Any], *states: str) -> Any:
    """Read until the status is one of these."""
    end = time.monotonic() + SECONDS
    while (found := read())["status"] not in states:
        assert time.monotonic() < end, found
        time.sleep(0.3)
    return found


def test_a_backtest_runs_in_a_function_of_its_own_on_the_fast_gear(api: Any) -> None:
    asked = api.post("/backtests", {**BODY, "parameters": {"fast": 5, "slow": 20}})
    found = until(lambda: api.get(f"/backtests/{asked['id']}"), "done", "failed")
    assert (found["error"], found["gear"], found["bars"]) == (None, "fast", 3000)
    config = BacktestConfig.model_validate(found["config"])
    market = Market.of([WALK])
    result = run_backtest(config, market)
    assert found["fills"] == len(result.fills)
    figures = json.loads(json.dumps(statistics_of(result, market).as_dict()))
    assert json.loads(json.dumps(found["statistics"], default=float)) == figures
    with urllib.request.urlopen(found["files"]["fills.csv"]) as answer:
        assert len(answer.read().splitlines()) == len(result.fills) + 1


def test_a_sweep_fans_out_and_ranks_as_this_machine_does_and_is_known_the_next_time(
    api: Any,
) -> None:
    space = {"fast": {"range": [3, 24, 3]}, "slow": {"range": [30, 80, 10]}}
    body = {**BODY, "space": space, "max_cost_usd": "0.20"}
    asked = api.post("/backtests/sweeps", body)
    path = f"/backtests/sweeps/{asked['id']}"
    found = until(lambda: api.get(path), "done", "failed", "stopped")
    assert (found["error"], found["trials"], found["tried"]) == (None, 48, 48)
    assert 0 < Decimal(found["spent_usd"]) < Decimal("0.20")
    run = api.post("/backtests", BODY)
    config = BacktestConfig.model_validate(api.get(f"/backtests/{run['id']}")["config"])
    market = Market.of([WALK])
    tried = [
        try_parameters(run_backtest, config, market, {"fast": fast, "slow": slow})
        for fast in range(3, 25, 3)
        for slow in range(30, 81, 10)
    ]
    best = rank(tried, "sharpe").trials
    assert [t["parameters"] for t in found["ranking"]["best"]] == [dict(t.parameters) for t in best]
    again = api.post("/backtests/sweeps", body)
    found = until(lambda: api.get(f"/backtests/sweeps/{again['id']}"), "done", "failed")
    assert (found["known"], found["tried"], found["error"]) == (48, 0, None)


def test_a_cap_stops_a_sweep_and_it_is_resumed(api: Any) -> None:
    space = {"fast": {"range": [3, 22, 1]}, "slow": {"range": [50, 70, 2]}}
    body = {**BODY, "space": space, "max_cost_usd": "0.00025", "gear": "reference"}
    asked = api.post("/backtests/sweeps", body)
    path = f"/backtests/sweeps/{asked['id']}"
    found = until(lambda: api.get(path), "done", "failed", "stopped")
    assert found["status"] == "stopped"
    assert "the cap of US$ 0.00025 stopped it" in found["error"]
    left = found["trials"] - found["tried"]
    assert left > 0
    api.post(f"{path}/resume", {"max_cost_usd": "0.5"})
    found = until(lambda: api.get(path), "done", "failed", "stopped")
    assert (found["status"], found["known"] + found["tried"]) == ("done", found["trials"])
