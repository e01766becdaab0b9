"""Whatever a strategy does, it is named, ended in time, and cannot harm the candles."""

import time
from typing import Any

import numpy as np
import pytest

from tests.support.candles import course, real
from trading.domain.errors import StrategyFailed
from trading.quant.strategies.scored import NO_SCORE, exact_scores, scored
from trading.quant.strategies.strategy import Candles, Hints, Strategy, columns_of

CANDLES = columns_of(course(range(100, 140)))


class Says(Strategy):
    """Answers what it is told to."""

    warm_up = 3

    def __init__(self, answer: Any, hints: Hints | None = None) -> None:
        super().__init__()
        self.answer = answer
        self.says = hints

    def score(self, candles: Candles) -> Any:
        return self.answer(candles)

    def hints(self, candles: Candles) -> Hints | None:
        return self.says


def constant(value: float) -> Any:
    return lambda candles: np.full(len(candles), value)


def forever(candles: Candles) -> Any:
    while True:
        try:
            time.monotonic()
        except Exception:  # noqa: BLE001 - so that only the time limit ends it
            continue


def at(bar: int, value: float) -> Any:
    def answer(candles: Candles) -> Any:
        scores = np.zeros(len(candles))
        scores[bar] = value
        return scores

    return answer


def write(candles: Candles) -> Any:
    candles.close[:] = 1.0
    return np.zeros(len(candles))


def leave(candles: Candles) -> Any:
    raise SystemExit(3)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda c: 1 / 0, "failed on AAPL: ZeroDivisionError"),
        (leave, "failed on AAPL: SystemExit"),
        (write, "failed on AAPL: ValueError"),
        (lambda c: ["a"] * len(c), "failed on AAPL: ValueError"),
        (lambda c: None, "gave scores of shape"),
        (lambda c: np.zeros(len(c) - 1), "gave 39 scores for 40 bars"),
        (lambda c: np.zeros((len(c), 2)), "gave scores of shape"),
        (at(7, np.nan), "gave no score (NaN) on bar 7"),
        (at(7, np.inf), "gave a score of inf on bar 7"),
        (constant(1.01), "gave a score of 1.01"),
        (forever, "did not end within 0.2 s"),
        (lambda c: time.sleep(2), "did not end within 0.2 s"),
    ],
)
def test_a_strategy_that_fails_is_named_with_the_reason(answer: Any, why: str) -> None:
    with pytest.raises(StrategyFailed) as caught:
        scored(Says(answer), CANDLES, "mine", limit_seconds=0.2)
    assert caught.value.name == "mine"
    assert why in caught.value.why


def test_a_failing_strategy_leaves_the_candles_as_they_were() -> None:
    before = CANDLES.close.copy()
    with pytest.raises(StrategyFailed):
        scored(Says(write), CANDLES, "mine")
    assert np.array_equal(CANDLES.close, before)


@pytest.mark.parametrize(
    "hints",
    [
        Hints(stop_distance=np.zeros(40)),
        Hints(stop_distance=np.full(40, -0.1)),
        Hints(target_distance=np.full(40, np.inf)),
        Hints(size=np.full(40, 1.5)),
        Hints(size=np.full(39, 0.5)),
    ],
)
def test_a_hint_that_cannot_be_is_the_strategys_failure(hints: Hints) -> None:
    with pytest.raises(StrategyFailed, match=r"stop_distance|target_distance|size"):
        scored(Says(constant(1.0), hints), CANDLES, "mine")


def test_hints_and_scores_come_in_millionths() -> None:
    hints = Hints(stop_distance=np.append(np.full(39, np.nan), 0.0123456789))
    says = scored(Says(constant(0.5), hints), CANDLES, "mine")
    assert set(says.scores) == {500_000}
    assert says.stop_distance is not None
    assert (says.stop_distance[0], says.stop_distance[-1]) == (NO_SCORE, 12_346)
    assert says.target_distance is None


def test_a_window_shorter_than_the_warm_up_has_no_scores() -> None:
    assert set(scored(Says(constant(1.0)), CANDLES.first(2), "mine").scores) == {NO_SCORE}


def test_scores_are_rounded_to_the_nearest_millionth() -> None:
    given = np.array([np.nan, -1.0, 0.1234564, 0.1234566, 1.0])
    assert exact_scores(given).tolist() == [NO_SCORE, -1_000_000, 123_456, 123_457, 1_000_000]


def test_another_symbol_stands_on_this_ones_bars() -> None:
    ibm, aapl = columns_of(real("IBM")), columns_of(real("AAPL"))
    gaps = aapl.part(5, 50)
    seen = ibm.seeing({"AAPL": gaps}).of("AAPL")
    assert np.isnan(seen.close[:5]).all()
    assert np.array_equal(seen.close[5:50], aapl.close[5:50])
    assert np.isnan(seen.close[50:]).all()
