"""Backtests over HTTPS, from the request to the files, on candles that the platform stores."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from backtesting.handler import on_run
from tests.support.floor import call, good
from tests.support.http import Context
from tests.support.laboratory import INSTRUMENT, START, Workers, archive, walk
from trading import bootstrap, deadline
from trading.adapters.s3.research_bucket import ResearchBucket
from trading.backtesting import run_backtest
from trading.domain.backtest import BacktestConfig
from trading.domain.errors import Unavailable
from trading.laboratory import laboratory
from trading.quant.simulation.market import Market
from trading.quant.statistics.backtest import statistics_of

NOW = datetime(2024, 6, 1, tzinfo=UTC)
BODY: dict[str, Any] = {
    "strategy": "ma_cross",
    "parameters": {"fast": 5, "slow": 20},
    "symbols": ["ACME"],
    "timeframe": "1h",
    "cash": "10000",
    "commission_rate": "0.001",
}


@pytest.fixture(autouse=True)
def workers(account: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers]:
    """Two instruments; the history of one is archived, and workers wait to be asked."""
    fake = Workers()
    monkeypatch.setattr(bootstrap, "function_client", lambda: fake)
    monkeypatch.setattr(bootstrap, "workflow_client", lambda: fake)
    monkeypatch.setattr(bootstrap, "wall_clock", lambda: NOW)
    for symbol in ("ACME", "OTHER"):
        good("PUT", f"/market/instruments/{symbol}", INSTRUMENT)
    archive(walk("ACME", 1200))
    return fake


def finished(workers: Workers, body: dict[str, Any] | None = None, key: str = "k") -> Any:
    """Ask for a backtest, let it run, and read it."""
    asked = good("POST", "/backtests", body or BODY, key=key)
    assert asked["status"] == "queued"
    workers.run_all()
    return good("GET", f"/backtests/{asked['id']}")


def by_hand(found: Any, market: Market) -> Any:
    """The statistics of the configuration that a backtest answers, run here."""
    config = BacktestConfig.model_validate(found["config"])
    cut = market.between(config.start, config.end)
    result = run_backtest(config, cut)
    return json.loads(json.dumps(statistics_of(result, cut).as_dict()))


def plain(value: Any) -> Any:
    """Exact numbers as the floats that they were written from."""
    return json.loads(json.dumps(value, default=float))


def test_a_backtest_says_what_the_engine_says_of_the_same_candles(workers: Workers) -> None:
    found = finished(workers)
    assert (found["status"], found["bars"], found["cached"]) == ("done", 1200, False)
    assert found["fills"] > 10
    assert plain(found["statistics"]) == by_hand(found, Market.of([walk("ACME", 1200)]))
    names = ["config.json", "equity.csv", "equity.parquet", "fills.csv", "fills.parquet"]
    names += ["round_trips.csv", "round_trips.parquet", "statistics.json"]
    assert sorted(found["files"]) == names
    listed = good("GET", "/backtests")["items"]
    assert [(run["id"], run["status"]) for run in listed] == [(found["id"], "done")]
    key = found["files"]["fills.csv"].partition("?")[0].partition(".com/")[2]
    body = boto3.client("s3").get_object(Bucket="backtests", Key=key.removeprefix("backtests/"))
    assert body["Body"].read().count(b"\n") == found["fills"] + 1


def test_the_newest_candles_come_from_the_table_behind_those_of_the_archive(
    workers: Workers,
) -> None:
    whole = walk("OTHER", 900)
    archive(whole.part(0, 600))
    rows = [
        {
            "time": datetime.fromtimestamp(whole.time[i], UTC).isoformat(),
            **{n: f"{getattr(whole, n)[i]:.2f}" for n in ("open", "high", "low", "close")},
            "volume": "1000",
        }
        for i in range(580, 900)
    ]
    good(
        "POST", "/market/candles", {"symbol": "OTHER", "timeframe": "1h", "candles": rows}, key="c"
    )
    found = finished(workers, {**BODY, "symbols": ["OTHER"]})
    assert found["bars"] == 900
    assert plain(found["statistics"]) == by_hand(found, Market.of([whole]))


def test_start_and_end_bound_the_bars_and_costs_change_the_outcome(workers: Workers) -> None:
    start, end = START + timedelta(hours=100), START + timedelta(hours=700)
    bounded = {**BODY, "start": start.isoformat(), "end": end.isoformat()}
    found = finished(workers, bounded)
    assert found["bars"] == 600
    dear = finished(workers, {**bounded, "fill_model": {"spread_bps": "20"}}, key="dear")
    assert dear["config"]["fill_model"]["timing"] == "next_bar"
    assert dear["figures"]["total_return"] < found["figures"]["total_return"]


def test_nothing_is_computed_twice(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    first = finished(workers)
    monkeypatch.setattr(
        type(laboratory()), "simulate", property(lambda _: pytest.fail("computed again"))
    )
    again = finished(workers, key="another")
    assert again["id"] != first["id"]
    assert (again["cached"], again["status"]) == (True, "done")
    assert again["statistics"] == first["statistics"]
    assert on_run({"run_id": first["id"]}, Context())["status"] == "done"


def test_more_candles_are_another_result(workers: Workers) -> None:
    first = finished(workers)
    archive(walk("ACME", 1300))
    again = finished(workers, key="another")
    assert (again["cached"], again["bars"]) == (False, 1300)
    assert again["data_hash"] != first["data_hash"]


def test_a_repeated_request_is_the_same_backtest(workers: Workers) -> None:
    first = good("POST", "/backtests", BODY, key="k")
    assert good("POST", "/backtests", BODY, key="k")["id"] == first["id"]
    other = call("POST", "/backtests", {**BODY, "cash": "1"}, key="k")
    assert other.status == 422
    assert good("POST", "/backtests", BODY)["id"] != first["id"]


def test_a_request_whose_start_failed_starts_when_it_is_repeated(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def invoke(self, **_: Any) -> None:
            from botocore.exceptions import EndpointConnectionError

            raise EndpointConnectionError(endpoint_url="lambda")

    monkeypatch.setattr(bootstrap, "function_client", Broken)
    assert call("POST", "/backtests", BODY, key="k").status == 503
    monkeypatch.setattr(bootstrap, "function_client", lambda: workers)
    assert finished(workers)["status"] == "done"


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"strategy": "ma_crss"}, "strategy", "did you mean 'ma_cross'"),
        ({"parameters": {"fast": 0, "slow": 20}}, "parameters.fast", "greater than or equal to"),
        ({"parameters": {"fats": 5}}, "parameters.fats", "fast"),
        ({"symbols": ["ACME", "NONE"]}, "symbols.1", "no instrument 'NONE'"),
        ({"symbols": ["OTHER"]}, "symbols.0", "no 1h candles of 'OTHER'"),
        ({"symbols": []}, "symbols", "at least 1"),
        ({"symbols": ["ACME", "ACME"]}, "body", "each symbol once"),
        ({"timeframe": "7m"}, "timeframe", "pattern"),
        ({"base_currency": "EUR"}, "instruments.ACME.quote_currency", "must be in EUR"),
        ({"cash": 0}, "cash", "greater than 0"),
        ({"cash": "NaN"}, "cash", "decimal number"),
        ({"commission_rate": "0.2"}, "commission_rate", "less than or equal"),
        ({"policy": {"target_fraction": "2"}}, "policy.target_fraction", "less than or equal"),
        ({"limits": {"max_var_percent": "5"}}, "limits.max_var_percent", "not measured"),
        (
            {"start": "2024-03-01T00:00:00Z", "end": "2024-03-01T00:00:00Z"},
            "body",
            "start must be before end",
        ),
        ({"funding": [{"symbol": "X", "time": "2024-03-01T00:00:00Z", "rate": 0}]}, "body", "'X'"),
        ({"gear": "warp"}, "gear", "'auto', 'reference' or 'fast'"),
        ({"candles": []}, "candles", "not a field"),
    ],
)
def test_bad_input_names_its_field(
    workers: Workers, given: dict[str, Any], field: str, words: str
) -> None:
    answer = call("POST", "/backtests", {**BODY, **given}, key="k")
    assert answer.status == 422, answer.text
    errors = answer.errors
    assert field in errors, answer.text
    assert words in errors[field]
    assert workers.runs == []
    assert good("GET", "/backtests")["items"] == []


def test_a_run_that_cannot_be_fails_and_says_why(workers: Workers) -> None:
    late = {**BODY, "start": "2025-01-01T00:00:00Z"}
    found = finished(workers, late)
    assert found["status"] == "failed"
    assert "no 1h candles of 'ACME' in that time" in found["error"]
    assert (found["statistics"], found["files"]) == (None, {})
    long = finished(workers, {**BODY, "gear": "fast", "limits": {"max_open_orders": 1}}, key="2")
    assert (long["status"], "fast gear" in long["error"]) == ("failed", True)


def test_a_run_that_takes_too_long_fails_before_lambda_ends_it(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "spare", lambda: 0.0)
    found = finished(workers, {**BODY, "gear": "reference"})
    assert found["status"] == "failed"
    assert "time ran out" in found["error"]
    assert "trading backtest run" in found["error"]


def test_a_fault_is_raised_for_another_try_and_three_end_the_run(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = good("POST", "/backtests", BODY, key="k")
    (event,) = workers.runs

    def broken(*_: Any) -> None:
        raise Unavailable("no bucket")

    with monkeypatch.context() as patched:
        patched.setattr(ResearchBucket, "put_result", broken)
        for _ in range(3):
            with pytest.raises(Unavailable):
                on_run(event, Context())
            assert good("GET", f"/backtests/{asked['id']}")["status"] == "running"
    assert on_run(event, Context())["status"] == "failed"
    assert "begun 3 times" in good("GET", f"/backtests/{asked['id']}")["error"]


def test_a_worker_that_died_is_followed_by_another(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = good("POST", "/backtests", BODY, key="k")
    with monkeypatch.context() as patched:
        patched.setattr(
            type(laboratory().experiments), "end_run", lambda *_: pytest.fail("worker gone")
        )
        with pytest.raises(pytest.fail.Exception):
            on_run(workers.runs[0], Context())
    workers.run_all()
    found = good("GET", f"/backtests/{asked['id']}")
    assert (found["status"], found["cached"]) == ("done", False)


def test_an_unknown_backtest_is_not_found_and_a_malformed_id_is_refused() -> None:
    assert call("GET", f"/backtests/bt_{'0' * 32}").status == 404
    assert call("GET", "/backtests/one").status == 422
    assert call("GET", f"/backtests/sweeps/sweep_{'0' * 32}").status == 404


def test_health_and_metrics(workers: Workers) -> None:
    finished(workers)
    health = call("GET", "/backtests/health", scopes=None)
    assert (health.status, health.json["status"]) == (200, "ok")
    assert set(health.json["checks"]) == {"backtests_table", "market_table", "results_bucket"}
    metrics = call("GET", "/backtests/metrics", scopes=["metrics:read"])
    assert 'trading_backtests{kind="run",status="done"} 1' in metrics.text


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/backtests", "backtests:write"),
        ("GET", "/backtests", "backtests:read"),
        ("GET", f"/backtests/bt_{'0' * 32}", "backtests:read"),
        ("POST", "/backtests/sweeps", "backtests:write"),
        ("GET", "/backtests/sweeps", "backtests:read"),
        ("GET", f"/backtests/sweeps/sweep_{'0' * 32}", "backtests:read"),
        ("POST", f"/backtests/sweeps/sweep_{'0' * 32}/resume", "backtests:write"),
    ],
)
def test_every_route_needs_its_scope(method: str, path: str, scope: str) -> None:
    body = BODY if method == "POST" else None
    assert call(method, path, body, scopes=None).status == 401
    other = "backtests:read" if scope.endswith("write") else "backtests:write"
    refused = call(method, path, body, scopes=[other, "signals:write"])
    assert (refused.status, scope in refused.json["detail"]) == (403, True)
