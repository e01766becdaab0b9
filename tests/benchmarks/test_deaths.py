"""Workers of a load run die where the plan says, and once only."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import load_workers
from benchmarks.load_plan import Plan
from benchmarks.load_workers import DIED, Deaths


class Died(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def deaths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deaths:
    def die(code: int) -> None:
        assert code == DIED
        raise Died

    monkeypatch.setattr(load_workers.os, "_exit", die)
    one = replace(Plan(1, 1, 0, 0, 1).planned[0], dies_at=2, answered=True)
    return Deaths({"rec_a": one, "rec_b": replace(one, answered=False)}, tmp_path)


def call(deaths: Deaths) -> None:
    deaths.before_call()
    deaths.after_call()


def test_it_dies_after_the_answer_to_the_planned_call(deaths: Deaths) -> None:
    deaths.begin("rec_a")
    call(deaths)
    deaths.before_call()
    with pytest.raises(Died):
        deaths.after_call()


def test_it_dies_before_the_planned_call_is_sent(deaths: Deaths) -> None:
    deaths.begin("rec_b")
    call(deaths)
    with pytest.raises(Died):
        deaths.before_call()


def test_it_dies_after_the_order_when_there_were_fewer_calls(deaths: Deaths) -> None:
    deaths.begin("rec_a")
    call(deaths)
    with pytest.raises(Died):
        deaths.end()


def test_it_dies_once_for_each_order_and_for_no_other(deaths: Deaths) -> None:
    deaths.begin("rec_a")
    with pytest.raises(Died):
        deaths.end()
    for identifier in ("rec_a", "rec_unplanned"):
        deaths.begin(identifier)
        for _ in range(3):
            call(deaths)
        deaths.end()
