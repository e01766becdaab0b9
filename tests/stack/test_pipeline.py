"""The main job on the deployed stack: candles in, portfolio out, every step a real function."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest

from tests.support.local_stack import LocalStack
from trading_cli.api import Api
from trading_cli.candles import Day, read_days
from trading_cli.demo import prepare
from trading_cli.ledger_check import add_up
from trading_cli.replay import Replay
from trading_cli.report import Outcome

SYMBOLS = ("AAPL", "IBM")
PORTFOLIO = "pipeline"


@dataclass(frozen=True)
class Run:
    """What a replay of some months left behind."""

    days: list[Day]
    outcome: Outcome


@pytest.fixture(scope="module")
def api(stack: LocalStack) -> Iterator[Api]:
    with stack.api() as client:
        yield client


@pytest.fixture(scope="module")
def run(stack: LocalStack, api: Api) -> Run:
    days = read_days(SYMBOLS, date(2009, 3, 2), date(2009, 12, 1))
    prepare(api, PORTFOLIO, SYMBOLS)
    Replay(stack.stack, api, PORTFOLIO, SYMBOLS).run(days, 1, lambda _on, _equity: None)
    return Run(days, Outcome.read(api, PORTFOLIO))


def test_candles_become_signals_of_both_strategies(run: Run) -> None:
    strategies = {signal["strategy"] for signal in run.outcome.signals}
    assert {"ma_cross", "rsi_reversion"} <= strategies


def test_signals_become_recommendations_that_reach_an_end(run: Run) -> None:
    states = {r["execution_status"] for r in run.outcome.recommendations}
    assert "executed" in states
    assert states <= {"executed", "rejected", "expired"}


def test_every_executed_recommendation_has_its_one_filled_order(run: Run) -> None:
    executed = [r for r in run.outcome.recommendations if r["execution_status"] == "executed"]
    filled = {
        o["id"]: o["recommendation_id"]
        for o in run.outcome.orders
        if o["execution_status"] == "filled"
    }
    assert {r["order_id"]: r["id"] for r in executed} == filled


def test_the_portfolio_follows_from_its_ledger_and_the_candles(run: Run) -> None:
    assert run.outcome.fills
    assert run.outcome.problems(run.days) == []


def test_fees_are_exactly_a_thousandth_of_what_was_traded(run: Run) -> None:
    for fill in run.outcome.fills:
        exact = Decimal(fill["quantity"]) * Decimal(fill["price"]) * Decimal("0.001")
        assert Decimal(fill["fee"]) == exact


def test_the_owner_put_in_what_the_ledger_says(run: Run) -> None:
    assert add_up(run.outcome.ledger).of("capital") == {"USD": Decimal(-100000)}


def test_one_correlation_id_runs_from_recommendation_to_fill(run: Run) -> None:
    by_order = {r["order_id"]: r["correlation_id"] for r in run.outcome.recommendations}
    for fill in run.outcome.fills:
        assert fill["correlation_id"] == by_order[fill["order_id"]]


def test_the_same_candles_again_change_nothing(stack: LocalStack, api: Api, run: Run) -> None:
    replay = Replay(stack.stack, api, PORTFOLIO, SYMBOLS)
    for symbol in SYMBOLS:
        replay.post_candles(symbol, run.days[-1:])
    stack.invoke("SignalsGenerateFunction", {"symbols": list(SYMBOLS), "timeframe": "1d"})
    again = stack.invoke("RecommendationsGenerateFunction", {"portfolio_ids": [PORTFOLIO]})
    assert again["created"] == 0
    assert Outcome.read(api, PORTFOLIO).ledger == run.outcome.ledger
