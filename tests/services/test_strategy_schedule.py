"""Strategies pass a check on stored candles, and only then get on the schedule."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from signals.handler import api, on_schedule
from tests.support import candles as some
from tests.support.http import Context, invoke
from trading import bootstrap
from trading.desk import desk
from trading.quant.strategies import registry
from trading.quant.strategies.code import code_of
from trading.quant.strategies.strategy import Candles, Strategy

NOW = datetime(2026, 6, 1, tzinfo=UTC)
CLOSES = 100 + 10 * np.sin(np.arange(600) / 7) + np.arange(600) / 10


class Honest(Strategy):
    """The sign of the last change."""

    @property
    def warm_up(self) -> int:
        return 2

    def score(self, candles: Candles) -> Any:
        return np.append(np.nan, np.sign(np.diff(candles.close)))


class Peeks(Honest):
    """Knows the next close."""

    def score(self, candles: Candles) -> Any:
        return np.append(np.nan, np.sign(np.append(np.diff(candles.close), 0))[1:])


class Endless(Honest):
    """Never ends."""

    def score(self, candles: Candles) -> Any:
        while True:
            pass


@pytest.fixture(autouse=True)
def _account(account: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two instruments with a wave each; three plug-ins beside what ships."""
    monkeypatch.setattr(bootstrap, "wall_clock", lambda: NOW)
    for symbol in ("AAPL", "IBM"):
        desk().market.put_instrument(some.stock(symbol))
        desk().market.record_candles(some.course([f"{c:.2f}" for c in CLOSES], symbol))
    install(monkeypatch, honest=Honest, peeks=Peeks, endless=Endless)


def install(monkeypatch: pytest.MonkeyPatch, **kinds: type[Strategy]) -> None:
    """Let some plug-ins be found beside what ships."""
    shipped = [e for e in ENTRY_POINTS(group=registry.GROUP) if e.name not in kinds]
    more = [
        type("Entry", (), {"name": name, "load": lambda _, kind=kind: kind})()
        for name, kind in kinds.items()
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: [*shipped, *more])


ENTRY_POINTS = registry.entry_points


def check(name: str, **body: Any) -> Any:
    return invoke(api, "POST", f"/signals/strategies/{name}/check", body)


def put(*strategies: Any, **more: Any) -> Any:
    return invoke(api, "PUT", "/signals/schedule", {"strategies": list(strategies), **more})


def test_a_strategy_that_passed_gets_on_the_schedule_and_runs() -> None:
    passed = check("honest", symbols=["AAPL", "IBM"]).json
    assert (passed["passed"], passed["problems"], passed["bars"]) == (True, [], 1200)
    answer = put("honest", symbols=["IBM"], timeframe="1d")
    assert answer.status == 200
    assert answer.json == invoke(api, "GET", "/signals/schedule").json
    assert answer.json["set_at"] == "2026-06-01T00:00:00Z"
    ran = on_schedule({}, Context())
    assert (ran["created"], ran["errors"]) == (1, {})
    (signal,) = invoke(api, "GET", "/signals").json["items"]
    assert (signal["strategy"], signal["symbol"]) == ("honest", "IBM")
    assert put("honest", symbols=["IBM"], timeframe="1d").json == answer.json


def test_without_a_schedule_of_its_own_the_configuration_counts() -> None:
    answer = invoke(api, "GET", "/signals/schedule").json
    assert [each["name"] for each in answer["strategies"]] == ["ma_cross", "rsi_reversion"]
    assert (answer["set_at"], answer["symbols"]) == (None, ["AAPL", "IBM"])
    assert on_schedule({}, Context())["created"] == 4


@pytest.mark.parametrize("name", ["honest", "ma_cross", "peeks"])
def test_one_that_has_not_passed_is_refused_by_name_and_nothing_changes(name: str) -> None:
    check("rsi_reversion")
    answer = put("rsi_reversion", name)
    assert answer.status == 422
    (error,) = answer.json["errors"]
    assert error["field"] == "strategies.1"
    assert f"'{name}' has not passed the check" in error["message"]
    assert f"POST /signals/strategies/{name}/check" in error["message"]
    assert invoke(api, "GET", "/signals/schedule").json["set_at"] is None


def test_a_cheat_does_not_pass_and_says_why() -> None:
    found = check("peeks", symbols=["AAPL"]).json
    assert not found["passed"]
    assert any("looks ahead" in problem for problem in found["problems"])
    assert put("peeks").status == 422


def test_a_pass_holds_for_its_parameters_only() -> None:
    assert check("ma_cross", parameters={"fast": 5, "slow": 20}, symbols=["AAPL"]).json["passed"]
    assert put("ma_cross").status == 422
    assert put({"name": "ma_cross", "parameters": {"fast": 5, "slow": 20}}).status == 200
    assert check("ma_cross", symbols=["AAPL"]).json["passed"]
    assert put({"name": "ma_cross", "parameters": {"fast": 10, "slow": 30}}).status == 200


def test_every_wrong_choice_is_named_at_once() -> None:
    answer = put({"name": "ma_cross", "parameters": {"fast": 0, "fats": 1}}, "ma_crss", "honest")
    found = answer.errors
    assert set(found) == {
        "strategies.0.parameters.fast", "strategies.0.parameters.fats",
        "strategies.1.name", "strategies.2",
    }  # fmt: skip
    assert "did you mean 'ma_cross'" in found["strategies.1.name"]


def test_a_strategy_whose_code_changed_must_pass_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = (
        "import numpy as np\n"
        "from trading.quant.strategies.strategy import Strategy\n"
        "class Own(Strategy):\n"
        "    'Mine.'\n"
        "    warm_up = 2\n"
        "    def score(self, candles):\n"
        "        return np.append(np.nan, np.sign(np.diff(candles.close)))\n"
    )
    package = tmp_path / "own_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "helper.py").write_text("LEVEL = 1\n")
    (package / "rule.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    import own_package.rule  # type: ignore[import-not-found]

    install(monkeypatch, own=own_package.rule.Own, honest=Honest)
    try:
        assert check("own", symbols=["AAPL"]).json["passed"]
        assert check("honest", symbols=["AAPL"]).json["passed"]
        assert put("own", "honest", symbols=["AAPL"]).status == 200
        assert on_schedule({}, Context())["created"] == 2
        (package / "helper.py").write_text("LEVEL = 2\n")
        code_of.cache_clear()
        later = NOW + timedelta(days=1)
        monkeypatch.setattr(bootstrap, "wall_clock", lambda: later)
        ran = on_schedule({}, Context())
        assert ran["unchanged"] == 1
        assert "its code has changed" in ran["errors"]["own"]
        told = invoke(api, "GET", "/signals/schedule").json
        assert list(told["errors"]) == ["own"]
        assert check("own", symbols=["AAPL"]).json["passed"]
        assert on_schedule({}, Context())["errors"] == {}
    finally:
        for name in [name for name in sys.modules if name.startswith("own_package")]:
            del sys.modules[name]
        code_of.cache_clear()


def test_a_strategy_that_is_gone_is_named_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check("honest", symbols=["AAPL"])
    check("macd", symbols=["AAPL"])
    assert put("honest", "macd", symbols=["AAPL"]).status == 200
    monkeypatch.setattr(registry, "entry_points", lambda group: ENTRY_POINTS(group=group))
    ran = on_schedule({}, Context())
    assert (ran["created"], list(ran["errors"])) == (1, ["honest"])


def test_one_that_never_ends_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trading.usecases.schedule_strategies.LIMIT_SECONDS", 0.4)
    monkeypatch.setattr("trading.quant.strategies.gate.LIMIT_SECONDS", 0.4)
    found = check("endless", symbols=["AAPL"]).json
    assert found["problems"] == ["AAPL: it cannot be checked: it did not end within 0.4 s"]
    listed = invoke(api, "GET", "/signals/strategies").json["strategies"]
    problems = {each["name"]: each["problem"] for each in listed}
    assert "did not end" in problems["endless"]
    assert problems["honest"] is None


@pytest.mark.parametrize(
    ("name", "body", "status", "field"),
    [
        ("nobody", {}, 404, None),
        ("ma_cross", {"symbols": ["NONE"]}, 422, "symbols.0"),
        ("ma_cross", {"parameters": {"fast": "x"}}, 422, "parameters.fast"),
        ("ma_cross", {"symbols": ["AAPL"], "timeframe": "1h"}, 422, "symbols.0"),
        ("ma_cross", {"parameters": {"slow": 580}, "symbols": ["AAPL"]}, 422, "symbols.0"),
        ("ma_cross", {"symbols": []}, 422, "symbols"),
    ],
)
def test_bad_checks_are_refused(
    name: str, body: dict[str, Any], status: int, field: str | None
) -> None:
    answer = check(name, **body)
    assert answer.status == status
    if field:
        assert answer.json["errors"][0]["field"] == field


def test_too_few_candles_are_told_with_how_many_are_needed() -> None:
    answer = check("ma_cross", parameters={"slow": 580}, symbols=["AAPL"])
    assert "has 600 closed 1d candles, and a check of ma_cross needs" in answer.json["detail"]


def test_every_route_needs_its_scope() -> None:
    for method, path, body, scope in (
        ("POST", "/signals/strategies/ma_cross/check", {}, "signals:write"),
        ("PUT", "/signals/schedule", {"strategies": ["ma_cross"]}, "signals:write"),
        ("GET", "/signals/schedule", None, "signals:read"),
    ):
        assert invoke(api, method, path, body, scopes=None).status == 401
        other = "signals:read" if scope.endswith("write") else "signals:write"
        assert invoke(api, method, path, body, scopes=[other]).status == 403
