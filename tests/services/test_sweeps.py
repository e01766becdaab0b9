"""Sweeps in chunks: whole, cached, capped, resumed, repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from backtesting.handler import on_sweep
from tests.support.floor import call, good
from tests.support.http import Context
from tests.support.laboratory import INSTRUMENT, Workers, archive, walk
from trading import bootstrap, deadline
from trading.backtesting import run_backtest
from trading.domain.errors import Unavailable
from trading.laboratory import LiveLaboratory, laboratory
from trading.quant.search.sweep import rank
from trading.quant.simulation.market import Market
from trading.usecases import sweep_in_chunks
from trading.usecases.sweep_in_chunks import combinations_of
from trading.usecases.try_parameters import try_parameters

NOW = datetime(2024, 6, 1, tzinfo=UTC)
GRID: dict[str, Any] = {"fast": {"range": [5, 20, 5]}, "slow": [20, 30, 40]}
BODY: dict[str, Any] = {
    "strategy": "ma_cross",
    "symbols": ["ACME"],
    "timeframe": "1h",
    "cash": "10000",
    "commission_rate": "0.001",
    "space": GRID,
    "max_cost_usd": "0.50",
}
WALK = walk("ACME", 1500)


@pytest.fixture(autouse=True)
def workers(account: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers]:
    """An instrument with archived history; three trials make a chunk."""
    fake = Workers()
    monkeypatch.setattr(bootstrap, "function_client", lambda: fake)
    monkeypatch.setattr(bootstrap, "workflow_client", lambda: fake)
    monkeypatch.setattr(bootstrap, "wall_clock", lambda: NOW)
    monkeypatch.setattr(sweep_in_chunks, "_cut", lambda todo, _: _threes(todo))
    good("PUT", "/market/instruments/ACME", INSTRUMENT)
    archive(WALK)
    return fake


def _threes(todo: Any) -> Any:
    return [todo[i : i + 3] for i in range(0, len(todo), 3)]


def asked(body: dict[str, Any] | None = None, key: str = "k") -> Any:
    """Ask for a sweep."""
    return good("POST", "/backtests/sweeps", body or BODY, key=key)


def read(sweep: Any) -> Any:
    """How a sweep stands."""
    return good("GET", f"/backtests/sweeps/{sweep['id']}")


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The parameters of every backtest that is computed, but for those that measure time."""
    seen: list[dict[str, Any]] = []

    def noted(config: Any, market: Any, progress: Any = None, *, says: Any = None) -> Any:
        seen.append(dict(config.parameters))
        return run_backtest(config, market, progress, says=says)

    monkeypatch.setattr(LiveLaboratory, "simulate", property(lambda _: noted))
    monkeypatch.setattr(sweep_in_chunks, "_measured", lambda *_: 0.01)
    return seen


def test_a_sweep_ranks_as_the_engine_does_and_says_first_how_far_to_believe_it(
    workers: Workers,
) -> None:
    sweep = asked()
    assert (sweep["status"], sweep["trials"], sweep["attempt"]) == ("queued", None, 1)
    workers.sweep_all()
    found = read(sweep)
    assert (found["status"], found["trials"], found["known"]) == ("done", 12, 0)
    assert (found["tried"], found["failed"]) == (12, 1)  # fast 20 is not below slow 20
    kept = laboratory().experiments.sweep(sweep["id"])
    market = Market.of([WALK])
    trials = [
        try_parameters(run_backtest, kept.config, market, each) for each in combinations_of(kept)
    ]
    ranking = rank(trials, "sharpe")
    told = found["ranking"]
    assert float(told["deflated_sharpe"]) == ranking.deflated_sharpe
    assert float(told["overfitting"]) == ranking.overfitting
    assert list(told).index("deflated_sharpe") < list(told).index("best")
    assert [each["parameters"] for each in told["best"]] == [
        dict(each.parameters) for each in ranking.trials
    ]
    assert told["best"][0]["figures"]["sharpe"] == pytest.approx(
        Decimal(repr(ranking.trials[0].figures["sharpe"]))
    )
    assert "fast" in told["failures"][0]
    assert list(found["files"]) == ["trials.csv"]
    assert 0 < Decimal(found["spent_usd"]) < Decimal("0.01")
    assert [each["id"] for each in good("GET", "/backtests/sweeps")["items"]] == [sweep["id"]]


def test_what_any_sweep_computed_is_not_computed_again(
    workers: Workers, simulated: list[dict[str, Any]]
) -> None:
    asked()
    workers.sweep_all()
    assert len(simulated) == 11
    wider = asked({**BODY, "space": {**GRID, "slow": [20, 30, 40, 50]}}, key="wider")
    workers.sweep_all()
    assert all(each["slow"] == 50 or each["fast"] == each["slow"] for each in simulated[11:])
    found = read(wider)
    assert (found["status"], found["trials"], found["known"]) == ("done", 16, 11)
    simulated.clear()
    same = asked(key="same")
    workers.sweep_all()
    assert (simulated, read(same)["status"]) == ([], "done")
    assert read(same)["known"] == 11


def test_another_cost_or_more_candles_are_other_trials(
    workers: Workers, simulated: list[dict[str, Any]]
) -> None:
    asked()
    workers.sweep_all()
    dear = asked({**BODY, "commission_rate": "0.002"}, key="dear")
    workers.sweep_all()
    assert read(dear)["known"] == 0
    archive(walk("ACME", 1600))
    longer = asked(key="longer")
    workers.sweep_all()
    assert (read(longer)["known"], len(simulated)) == (0, 33)


def test_the_cap_stops_a_sweep_and_more_money_completes_it(
    workers: Workers, simulated: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LiveLaboratory, "dollars", lambda _, seconds: Decimal("0.1"))
    sweep = asked({**BODY, "max_cost_usd": "0.25"})
    workers.sweep_all()
    found = read(sweep)
    assert found["status"] == "stopped"
    assert "the cap of US$ 0.25 stopped it" in found["error"]
    assert 0 < found["tried"] < 12
    done = len(simulated)
    assert found["ranking"]["trials"] + found["ranking"]["failed"] == found["tried"]
    path = f"/backtests/sweeps/{sweep['id']}/resume"
    low = call("POST", path, {"max_cost_usd": "0.1"}, key="low")
    assert (low.status, low.json["errors"][0]["field"]) == (422, "max_cost_usd")
    again = good("POST", path, {"max_cost_usd": "5"}, key="more")
    assert (again["status"], again["attempt"], again["max_cost_usd"]) == ("queued", 2, "5")
    assert good("POST", path, {"max_cost_usd": "5"}, key="more")["attempt"] == 2
    workers.sweep_all()
    found = read(sweep)
    assert (found["status"], found["error"]) == ("done", None)
    assert len(simulated) == 11
    assert done < 11
    assert call("POST", path, {}, key="once-more").status == 409


def test_money_is_spent_by_no_more_than_the_cap_however_many_chunks_ask_at_once(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = asked({**BODY, "max_cost_usd": "1"})
    workers.plan()
    kept = laboratory().experiments.sweep(sweep["id"])
    before = kept.spent
    granted = [laboratory().experiments.reserve(kept, Decimal("0.3")) for _ in range(5)]
    assert granted == [True, True, True, False, False]
    after = laboratory().experiments.sweep(sweep["id"])
    assert after.spent - before == Decimal("0.9")
    assert after.out_of_money


def test_a_chunk_that_is_run_twice_counts_once(
    workers: Workers, simulated: list[dict[str, Any]]
) -> None:
    sweep = asked()
    event, found = workers.plan()
    workers.compute(event, [0, 0, *range(1, found["chunks"])])
    assert read(sweep)["tried"] == 12
    assert workers.conclude(event) == workers.conclude(event) == {"status": "done"}


def test_a_chunk_of_an_attempt_that_is_over_does_nothing(
    workers: Workers, simulated: list[dict[str, Any]]
) -> None:
    sweep = asked()
    event, _ = workers.plan()
    on_sweep({**event, "step": "fail", "error": {"Error": "States.Timeout"}}, Context())
    found = read(sweep)
    assert (found["status"], found["error"]) == ("failed", "it broke off: States.Timeout")
    workers.compute(event, [0])
    assert simulated == []
    good("POST", f"/backtests/sweeps/{sweep['id']}/resume", {}, key="r")
    workers.sweep_all()
    assert read(sweep)["status"] == "done"
    workers.compute(event, [0])
    assert len(simulated) == 11


def test_a_sweep_that_was_broken_off_can_be_resumed_after_half_an_hour(
    workers: Workers, simulated: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = asked()
    event, _ = workers.plan()
    path = f"/backtests/sweeps/{sweep['id']}/resume"
    assert call("POST", path, {}, key="soon").status == 409
    monkeypatch.setattr(bootstrap, "wall_clock", lambda: NOW + timedelta(minutes=31))
    assert good("POST", path, {}, key="late")["attempt"] == 2
    workers.compute(event, [0])
    assert simulated == []
    workers.sweep_all()
    assert (read(sweep)["status"], len(simulated)) == ("done", 11)


def test_chunks_that_were_lost_leave_a_sweep_that_can_be_resumed(
    workers: Workers, simulated: list[dict[str, Any]]
) -> None:
    sweep = asked()
    event, found = workers.plan()
    workers.compute(event, list(range(found["chunks"] - 1)))
    assert workers.conclude(event) == {"status": "failed"}
    assert "3 combinations were not computed; resume it" in read(sweep)["error"]
    good("POST", f"/backtests/sweeps/{sweep['id']}/resume", {}, key="r")
    workers.sweep_all()
    assert (read(sweep)["status"], len(simulated)) == ("done", 11)


def test_a_chunk_ends_in_time_and_leaves_the_rest_to_another_attempt(
    workers: Workers, simulated: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = asked()
    left = iter([100.0] + [0.0] * 100)
    with monkeypatch.context() as patched:
        patched.setattr(deadline, "spare", lambda: next(left))
        workers.sweep_all()
    assert read(sweep)["status"] == "failed"
    assert len(simulated) == 3  # one of each chunk, but for the one that cannot be run
    good("POST", f"/backtests/sweeps/{sweep['id']}/resume", {}, key="r")
    workers.sweep_all()
    assert read(sweep)["status"] == "done"


def test_random_draws_are_the_same_for_the_same_seed(workers: Workers) -> None:
    random = {
        **BODY,
        "method": "random",
        "trials": 5,
        "seed": 7,
        "space": {"fast": {"range": [3, 18, 1]}},
        "parameters": {"slow": 60},
    }
    tried = []
    for key in ("a", "b"):
        sweep = asked(random, key=key)
        workers.sweep_all()
        tried.append([t["parameters"] for t in read(sweep)["ranking"]["best"]])
    assert tried[0] == tried[1]
    assert len(tried[0]) == 5
    assert all(each["slow"] == 60 for each in tried[0])


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        (
            {"space": {"fast": {"range": [1, 100_000, 1]}, "slow": {"range": [1, 10_000, 1]}}},
            "space",
            "1,000,000,000 combinations",
        ),
        ({"space": {"fats": [1]}}, "space.fats", "did you mean 'fast'"),
        ({"space": {"fast": {"range": [9, 1, 1]}}}, "space.fast.range", "first <= last"),
        ({"space": {"fast": {"uniform": [1, 2]}}}, "space.fast", "search at random"),
        ({"space": {}}, "space", "at least 1"),
        ({"space": {"fast": [[1]]}}, "space.fast.0", "must be a number"),
        ({"method": "bayesian"}, "method", "'grid' or 'random'"),
        ({"objective": "luck"}, "objective", "'sharpe'"),
        ({"max_cost_usd": 0}, "max_cost_usd", "greater than 0"),
        ({"trials": 100_001, "method": "random"}, "trials", "less than or equal to 100000"),
        ({"symbols": ["NONE"]}, "symbols.0", "no instrument"),
    ],
)
def test_bad_input_names_its_field(
    workers: Workers, given: dict[str, Any], field: str, words: str
) -> None:
    answer = call("POST", "/backtests/sweeps", {**BODY, **given}, key="k")
    assert answer.status == 422, answer.text
    errors = answer.errors
    assert field in errors, answer.text
    assert words in errors[field]
    if "combinations" in words:
        assert "core hours" in errors[field]
        assert "US$" in errors[field]
    assert workers.sweeps == []


def test_a_repeated_request_is_the_same_sweep_and_starts_once(workers: Workers) -> None:
    first = asked()
    assert asked()["id"] == first["id"]
    assert len(workers.sweeps) == 1


@pytest.mark.parametrize("broken", ["put_market", "put_document", "trials"])
def test_a_fault_while_planning_is_raised_for_another_try(
    workers: Workers, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    sweep = asked()
    event = workers.sweeps[0]

    def down(*_: Any) -> Callable[..., Any]:
        raise Unavailable("no bucket")

    with monkeypatch.context() as patched:
        patched.setattr(type(laboratory().shelf), broken, down)
        with pytest.raises(Unavailable):
            on_sweep({**event, "step": "plan"}, Context())
    workers.sweep_all()
    assert read(sweep)["status"] == "done"


def test_candles_that_are_gone_fail_a_sweep_with_the_reason(workers: Workers) -> None:
    sweep = asked({**BODY, "end": "2023-01-01T00:00:00Z"})
    workers.sweep_all()
    found = read(sweep)
    assert found["status"] == "failed"
    assert "no 1h candles of 'ACME' in that time" in found["error"]
