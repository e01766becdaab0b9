"""Signals over HTTPS: taken in, listed, generated, judged."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import boto3
import pytest

from signals.handler import api, on_schedule
from tests.support import candles as some
from tests.support.http import Answer, Context, invoke
from trading import bootstrap
from trading.desk import desk
from trading.domain.candle import Candle
from trading.quant.strategies import registry
from trading.quant.strategies.registry import discover
from trading.quant.strategies.strategy import Candles, Strategy
from trading.settings import settings

NOW = datetime(2024, 6, 1, tzinfo=UTC)
SIGNAL = {
    "symbol": "AAPL", "source": "newsdesk", "strategy": "mood", "score": "0.5",
    "time": "2024-05-01T00:00:00Z",
}  # fmt: skip
RISING = some.course(range(10, 60))


@pytest.fixture(autouse=True)
def _account(account: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test has its own tables with two instruments, and the same present moment."""
    monkeypatch.setattr(bootstrap, "wall_clock", lambda: NOW)
    for symbol in ("AAPL", "IBM"):
        desk().market.put_instrument(some.stock(symbol))


class Broken(Strategy):
    """Fails whenever it is asked."""

    @property
    def warm_up(self) -> int:
        return 2

    def score(self, candles: Candles) -> Any:
        raise RuntimeError("secret detail of somebody's code")


class TooLoud(Broken):
    """Scores beyond conviction."""

    def score(self, candles: Candles) -> Any:
        return candles.close * 0 + 3.0


def install(monkeypatch: pytest.MonkeyPatch, **strategies: type[Strategy]) -> None:
    """Install strategies beside the platform's own."""
    found = discover()
    both = registry.Found({**found.strategies, **strategies}, found.errors)
    monkeypatch.setattr("trading.usecases.generate_signals.discover", lambda: both)


def post(**changes: Any) -> Answer:
    return invoke(api, "POST", "/signals", {**SIGNAL, **changes})


def generate(*strategies: Any, **body: Any) -> Any:
    chosen = {"strategies": list(strategies)} if strategies else {}
    wanted = {"symbols": ["AAPL"], "timeframe": "1d", **chosen, **body}
    answer = invoke(api, "POST", "/signals/generate", wanted)
    assert answer.status == 200, answer.text
    return answer.json


def listed(query: str = "") -> Any:
    answer = invoke(api, "GET", f"/signals{query}")
    assert answer.status == 200, answer.text
    return answer.json


def record(candles: list[Candle]) -> None:
    desk().market.record_candles(candles)


def stored() -> int:
    return int(boto3.client("dynamodb").scan(TableName="SignalsTable")["Count"])


def test_an_outside_signal_is_kept_and_listed() -> None:
    answer = post()
    assert answer.status == 201
    assert listed()["items"] == [answer.json]


def test_the_same_signal_counts_once_without_any_idempotency_key() -> None:
    assert post().json["id"] == post().json["id"]
    assert len(listed()["items"]) == 1
    assert desk().signals.counts() == {("newsdesk", "mood"): 1}


def test_what_is_answered_to_a_repeated_signal_is_what_is_stored() -> None:
    first, second = post(score="0.5"), post(score="-0.5")
    assert listed()["items"] == [first.json]
    assert second.status == 409
    assert post().json == first.json


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"source": "technical"}, "source"),
        ({"score": "1.01"}, "score"),
        ({"score": "-1.01"}, "score"),
        ({"score": "NaN"}, "score"),
        ({"symbol": "MSFT"}, "symbol"),
        ({"time": "2024-06-01T00:00:06Z"}, "time"),
        ({"time": "2024-05-01T00:00:00"}, "time"),
        ({"strategy": "a#b"}, "strategy"),
    ],
)
def test_a_wrong_signal_is_refused_by_field_and_leaves_no_trace(changes: Any, field: str) -> None:
    answer = post(**changes)
    assert answer.status == 422
    assert [e["field"] for e in answer.json["errors"]] == [field]
    assert stored() == 0


def test_writing_and_reading_need_their_scopes() -> None:
    assert invoke(api, "POST", "/signals", SIGNAL, scopes=["signals:read"]).status == 403
    assert invoke(api, "GET", "/signals", scopes=["signals:write"]).status == 403
    assert stored() == 0


@pytest.mark.parametrize(
    ("query", "times"),
    [
        ("?symbol=IBM", ["2024-05-02"]),
        ("?source=desk2", ["2024-05-04"]),
        ("?strategy=tone", ["2024-05-04", "2024-05-03"]),
        ("?source=newsdesk&strategy=tone", ["2024-05-03"]),
        ("?start=2024-05-02T00:00:00Z&end=2024-05-03T00:00:00Z", ["2024-05-03", "2024-05-02"]),
        ("?symbol=AAPL&start=2024-05-03T00:00:00Z", ["2024-05-04", "2024-05-03"]),
        ("?source=nobody", []),
    ],
)
def test_the_list_can_be_narrowed_and_is_newest_first(query: str, times: list[str]) -> None:
    post(time="2024-05-01T00:00:00Z")
    post(time="2024-05-02T00:00:00Z", symbol="IBM")
    post(time="2024-05-03T00:00:00Z", strategy="tone")
    post(time="2024-05-04T00:00:00Z", strategy="tone", source="desk2")
    assert [s["time"][:10] for s in listed(query)["items"]] == times


@pytest.mark.parametrize("narrowed", ["", "&symbol=AAPL", "&source=newsdesk&strategy=mood"])
def test_pages_follow_each_other_without_gaps(narrowed: str) -> None:
    for day in range(1, 8):
        post(time=f"2024-05-{day:02d}T00:00:00Z")
    days, cursor = [], ""
    while True:
        page = listed(f"?limit=3{narrowed}{cursor}")
        days += [int(s["time"][8:10]) for s in page["items"]]
        if page["cursor"] is None:
            break
        cursor = f"&cursor={page['cursor']}"
    assert days == [7, 6, 5, 4, 3, 2, 1]


def test_generating_writes_one_signal_per_strategy_and_newest_candle() -> None:
    record(RISING)
    assert generate("ma_cross") == {"created": 1, "unchanged": 0, "errors": {}}
    (signal,) = listed()["items"]
    newest = RISING[-1]
    assert signal["score"] == "1"
    assert signal["source"] == "technical"
    assert signal["price"] == str(newest.close)
    assert datetime.fromisoformat(signal["time"]) == newest.close_time


def test_generating_again_changes_nothing() -> None:
    record(RISING)
    generate("ma_cross")
    before = listed()
    assert generate("ma_cross") == {"created": 0, "unchanged": 1, "errors": {}}
    assert listed() == before
    assert desk().signals.counts() == {("technical", "ma_cross"): 1}


def test_other_parameters_make_another_signal() -> None:
    record(RISING)
    generate("ma_cross")
    own = {"name": "ma_cross", "parameters": {"fast": 5, "slow": 20}}
    assert generate(own)["created"] == 1
    assert [s["parameters"] for s in listed()["items"] if s["parameters"]["fast"] == 5] == [
        {"fast": 5, "slow": 20}
    ]


def test_a_bar_that_is_still_forming_is_not_used() -> None:
    closed = some.course(range(10, 60), start=NOW - timedelta(days=50))
    forming = some.course([1], start=NOW)
    record([*closed, *forming])
    generate("ma_cross")
    (signal,) = listed()["items"]
    assert signal["price"] == str(closed[-1].close)


def test_too_few_candles_give_no_signal() -> None:
    record(RISING[:29])
    assert generate("ma_cross") == {"created": 0, "unchanged": 0, "errors": {}}
    record(RISING[:30])
    assert generate("ma_cross")["created"] == 1


def test_an_unknown_strategy_is_named_with_the_nearest_and_the_others_run() -> None:
    record(RISING)
    answer = generate("ma_cros", "ma_cross")
    assert answer["created"] == 1
    assert "did you mean 'ma_cross'" in answer["errors"]["ma_cros"]


def test_a_strategy_that_is_named_twice_signals_once() -> None:
    record(RISING)
    assert generate("ma_cross", {"name": "ma_cross"}) == {
        "created": 1, "unchanged": 1, "errors": {},
    }  # fmt: skip


def test_an_unknown_parameter_is_named() -> None:
    answer = generate({"name": "ma_cross", "parameters": {"fasst": 5}})
    assert answer["created"] == 0
    assert "did you mean 'fast'" in answer["errors"]["ma_cross"]


@pytest.mark.parametrize("plug_in", [Broken, TooLoud])
def test_a_plug_in_that_misbehaves_is_named_and_the_others_run(
    plug_in: type[Strategy], monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, plug_in=plug_in)
    record(RISING)
    answer = generate("plug_in", "ma_cross")
    assert answer["created"] == 1
    assert list(answer["errors"]) == ["plug_in"]
    assert "secret" not in str(answer)


def test_the_schedule_runs_what_is_configured() -> None:
    record(RISING)
    record(some.course(range(60, 10, -1), symbol="IBM"))
    answer = on_schedule({}, Context())
    assert (answer["created"], answer["errors"]) == (2, {})
    assert {s["symbol"]: s["score"] for s in listed()["items"]} == {"AAPL": "1", "IBM": "-1"}


def test_the_schedule_runs_on_every_instrument_when_none_is_configured(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("WATCH_LIST", "")
    settings.cache_clear()
    record(RISING)
    record(some.course(range(60, 10, -1), symbol="IBM"))
    assert on_schedule({}, Context())["created"] == 2


def test_the_schedule_runs_what_the_event_says() -> None:
    record(RISING)
    event = {
        "symbols": ["AAPL"], "timeframe": "1d", "correlation_id": "replay-7",
        "strategies": [{"name": "ma_cross", "parameters": {"fast": 2, "slow": 3}}],
    }  # fmt: skip
    assert on_schedule(event, Context())["created"] == 1
    (signal,) = listed()["items"]
    assert (signal["correlation_id"], signal["parameters"]["slow"]) == ("replay-7", 3)


def test_generating_for_an_unknown_symbol_is_refused_by_name() -> None:
    body = {"symbols": ["AAPL", "MSFT"]}
    answer = invoke(api, "POST", "/signals/generate", body)
    assert answer.status == 422
    assert [e["field"] for e in answer.json["errors"]] == ["symbols.1"]


def test_strategies_are_listed_with_their_parameter_schemas() -> None:
    found = {s["name"]: s for s in invoke(api, "GET", "/signals/strategies").json["strategies"]}
    assert found["ma_cross"]["warm_up"] == 30
    assert found["ma_cross"]["parameters"]["properties"]["fast"]["default"] == 10
    assert found["ma_cross"]["parameters"]["additionalProperties"] is False
    assert "overbought" in found["rsi_reversion"]["parameters"]["properties"]


def test_quality_is_the_hit_rate_and_mean_return_after_the_horizon() -> None:
    record(some.course([100, 110, 99, 99]))
    times = ["2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z"]
    post(time=times[0], price="100", score="1")
    post(time=times[1], price="110", score="1")
    answer = invoke(api, "GET", "/signals/quality?horizon_bars=1&timeframe=1d").json
    (quality,) = answer["strategies"]
    assert (quality["signals"], quality["scored"], quality["hit_rate"]) == (2, 2, "0.5")
    assert Decimal(quality["mean_return"]) == 0


def test_quality_counts_from_the_newest_bar_that_had_closed() -> None:
    record(some.course([100, 110, 121]))
    post(time="2024-01-02T15:30:00Z", score="-0.5")
    (quality,) = invoke(api, "GET", "/signals/quality?horizon_bars=1&timeframe=1d").json[
        "strategies"
    ]
    assert (quality["scored"], quality["hit_rate"], quality["mean_return"]) == (1, "0", "-0.1")


def test_signals_without_a_direction_or_a_later_bar_are_not_scored() -> None:
    record(some.course([100, 110]))
    post(time="2024-01-02T00:00:00Z", score="0")
    post(time="2024-01-03T00:00:00Z", score="1")
    (quality,) = invoke(api, "GET", "/signals/quality?horizon_bars=1&timeframe=1d").json[
        "strategies"
    ]
    assert (quality["signals"], quality["scored"], quality["hit_rate"]) == (2, 0, None)


def test_metrics_count_signals_by_source_and_strategy() -> None:
    post()
    post(time="2024-05-02T00:00:00Z")
    text = invoke(api, "GET", "/signals/metrics").text
    assert 'trading_signals_total{source="newsdesk",strategy="mood"} 2' in text


def test_health_needs_no_key_and_names_both_tables() -> None:
    answer = invoke(api, "GET", "/signals/health", scopes=None)
    assert answer.status == 200
    assert "signals_table" in answer.text
    assert "market_table" in answer.text


class Peeks(Strategy):
    """Knows the next close."""

    @property
    def warm_up(self) -> int:
        return 2

    def score(self, candles: Candles) -> Any:
        import numpy as np

        return np.append(np.nan, np.sign(np.append(np.diff(candles.close), 0))[1:])


def test_a_strategy_that_looks_ahead_is_not_scheduled_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = {entry.name: entry for entry in registry.entry_points(group=registry.GROUP)}
    peeks = type("Entry", (), {"name": "peeks", "load": lambda _: Peeks})()
    installed = [kept["ma_cross"], peeks]
    monkeypatch.setattr(registry, "entry_points", lambda group: installed)
    desk().market.record_candles(RISING)
    event = {"symbols": ["AAPL"], "timeframe": "1d", "strategies": ["peeks", "ma_cross"]}
    answer = on_schedule(event, Context())
    assert answer["created"] == 1
    assert "has not passed the check" in answer["errors"]["peeks"]
    assert "looks ahead" in answer["errors"]["peeks"]
    listed = invoke(api, "GET", "/signals/strategies").json["strategies"]
    assert {s["name"]: s["problem"] is None for s in listed} == {"ma_cross": True, "peeks": False}
