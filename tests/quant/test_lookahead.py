"""The check that strategies are honest finds each kind of cheating, and only that."""

from typing import Any

import numpy as np
import pytest

from tests.support.candles import real
from trading.quant.strategies.lookahead import problems
from trading.quant.strategies.strategy import Candles, Strategy, columns_of

CANDLES = columns_of(real("IBM"))


class Rule(Strategy):
    """Honest: the sign of the last change."""

    @property
    def warm_up(self) -> int:
        return 2

    def score(self, candles: Candles) -> Any:
        return np.append(np.nan, np.sign(np.diff(candles.close)))


class Clairvoyant(Rule):
    """Scores a bar by the next one."""

    def score(self, candles: Candles) -> Any:
        scores = np.append(np.sign(np.diff(candles.close)), 0.0)
        scores[0] = np.nan
        return scores


class ScaledByTheWhole(Rule):
    """Divides by the largest change ever, also by one that is still to come."""

    def score(self, candles: Candles) -> Any:
        change = np.diff(candles.close)
        return np.append(np.nan, change / np.abs(change).max())


class TooShortWarmUp(Rule):
    """Averages over more bars than it declares."""

    def score(self, candles: Candles) -> Any:
        total = np.cumsum(candles.close) / np.arange(1, len(candles) + 1)
        return np.append(np.nan, np.sign(candles.close - total)[1:])


class Moody(Rule):
    """Answers something else every time."""

    generator = np.random.default_rng(3)

    def score(self, candles: Candles) -> Any:
        return np.append(np.nan, self.generator.uniform(-1, 1, len(candles) - 1))


class Loud(Rule):
    """Goes beyond [-1, 1]."""

    def score(self, candles: Candles) -> Any:
        return 2 * super().score(candles)


class Absent(Rule):
    """Has no score for falling bars."""

    def score(self, candles: Candles) -> Any:
        scores = super().score(candles)
        return np.where(scores < 0, np.nan, scores)


class Short(Rule):
    """Forgets the first bar."""

    def score(self, candles: Candles) -> Any:
        return super().score(candles)[1:]


class Vandal(Rule):
    """Writes into the candles that it is shown."""

    def score(self, candles: Candles) -> Any:
        candles.close[:] = candles.close[::-1].copy()
        return super().score(candles)


class RarePeek(Rule):
    """Knows the next bar where it moves a lot, on some bars of a thousand."""

    def score(self, candles: Candles) -> Any:
        change = np.diff(candles.close)
        scores = np.append(np.nan, np.sign(change))
        large = np.flatnonzero(np.abs(change) > np.quantile(np.abs(change), 0.99))
        return _set(scores, large[large > 0], np.sign(change))


def _set(scores: Any, places: Any, values: Any) -> Any:
    scores[places] = values[places]
    return scores


class OneTimePeek(Rule):
    """Knows a single bar to come."""

    def score(self, candles: Candles) -> Any:
        scores = super().score(candles)
        if len(candles) > 402:
            scores[401] = 0.5
        return scores


class Breaks(Rule):
    """Raises."""

    def score(self, candles: Candles) -> Any:
        raise RuntimeError("token=secret")


class Leaves(Rule):
    """Ends the process, it thinks."""

    def score(self, candles: Candles) -> Any:
        raise SystemExit(3)


class Endless(Rule):
    """Never ends."""

    def score(self, candles: Candles) -> Any:
        while True:
            pass


class Infinite(Rule):
    """Divides by zero."""

    def score(self, candles: Candles) -> Any:
        scores = super().score(candles)
        return np.where(scores > 0, np.inf, scores)


class Table(Rule):
    """Gives a row per bar."""

    def score(self, candles: Candles) -> Any:
        return np.zeros((len(candles), 2))


def test_an_honest_strategy_has_no_problems() -> None:
    assert problems(Rule(), CANDLES) == []


@pytest.mark.parametrize(
    ("cheat", "finding"),
    [
        (Clairvoyant, "looks ahead"),
        (ScaledByTheWhole, "looks ahead"),
        (TooShortWarmUp, "needs more warm-up"),
        (Moody, "not deterministic"),
        (Loud, "outside [-1, 1]"),
        (Absent, "no score on some bars"),
        (Short, "scores for"),
        (Vandal, "looks ahead"),
        (RarePeek, "looks ahead"),
        (OneTimePeek, "looks ahead"),
        (Breaks, "failed: RuntimeError"),
        (Leaves, "failed: SystemExit"),
        (Infinite, "outside [-1, 1]"),
        (Table, "shape"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
def test_a_cheat_is_found_out(cheat: type[Strategy], finding: str) -> None:
    assert any(finding in problem for problem in problems(cheat(), CANDLES))


def test_the_check_leaves_the_candles_as_they_were() -> None:
    before = CANDLES.close.copy()
    problems(Vandal(), CANDLES)
    assert np.array_equal(CANDLES.close, before)


def test_too_few_candles_to_check_on_is_said() -> None:
    assert "cannot be checked" in problems(Rule(), CANDLES.first(1))[0]


def test_one_that_never_ends_is_given_up_and_says_so() -> None:
    (found,) = problems(Endless(), CANDLES, limit_seconds=0.3)
    assert "did not end within 0.3 s" in found


def test_what_a_strategy_says_of_itself_is_not_told() -> None:
    assert "secret" not in problems(Breaks(), CANDLES)[0]


def test_on_more_bars_than_cuts_it_cuts_beside_changes_of_the_score() -> None:
    close = np.full(4000, 100.0)
    close[[900, 2100, 3300]] = 130.0
    bars = Candles("A", "1d", np.arange(4000.0), *[close] * 4, close)

    class SeesJumps(Rule):
        def score(self, candles: Candles) -> Any:
            later = np.append(candles.close[1:], candles.close[-1])
            scores = np.where(later > 120, 1.0, 0.0)
            scores[0] = np.nan
            return scores

    assert any("looks ahead" in found for found in problems(SeesJumps(), bars, cuts=100))
