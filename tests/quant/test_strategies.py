"""The built-in strategies, against computations of their own and real candles."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.candles import course, real
from trading.domain.errors import InvalidInput
from trading.quant.strategies.lookahead import problems
from trading.quant.strategies.ma_cross import MovingAverageCross
from trading.quant.strategies.rsi_reversion import RsiReversion
from trading.quant.strategies.strategy import Strategy, columns_of

SYMBOLS = ("AAPL", "IBM", "GOOG")
closes = st.lists(st.integers(100, 100_000), min_size=8, max_size=60)


def scores(strategy: Strategy, prices: Sequence[object]) -> list[float]:
    return [float(s) for s in strategy.score(columns_of(course(prices)))]


def sign_of_averages(prices: Sequence[int], fast: int, slow: int) -> int:
    """The cross at the last bar, exactly."""
    gap = Fraction(sum(prices[-fast:]), fast) - Fraction(sum(prices[-slow:]), slow)
    return (gap > 0) - (gap < 0)


def wilder(prices: Sequence[float], period: int) -> list[float]:
    """The relative strength index by Wilder's own recipe; NaN until the first average exists."""
    changes = [b - a for a, b in pairwise(prices)]
    up = sum(max(c, 0) for c in changes[:period]) / period
    down = sum(max(-c, 0) for c in changes[:period]) / period
    found = [float("nan")] * period
    for i in range(period, len(prices)):
        if i > period:
            up = (up * (period - 1) + max(changes[i - 1], 0)) / period
            down = (down * (period - 1) + max(-changes[i - 1], 0)) / period
        found.append(100 * up / (up + down))
    return found


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.parametrize(
    "strategy", [MovingAverageCross(), RsiReversion()], ids=lambda s: type(s).__name__
)
def test_a_built_in_strategy_is_honest_on_real_candles(strategy: Strategy, symbol: str) -> None:
    assert problems(strategy, columns_of(real(symbol))) == []


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.parametrize(
    "strategy", [MovingAverageCross(), RsiReversion()], ids=lambda s: type(s).__name__
)
def test_a_built_in_strategy_has_more_than_one_opinion(strategy: Strategy, symbol: str) -> None:
    given_scores = strategy.score(columns_of(real(symbol)))
    assert {-1.0, 1.0} <= set(given_scores[~np.isnan(given_scores)])


@settings(deadline=None, max_examples=60)
@given(prices=closes, fast=st.integers(1, 3), slow=st.integers(4, 8))
def test_the_cross_is_the_sign_of_the_exact_averages(
    prices: list[int], fast: int, slow: int
) -> None:
    parameters = MovingAverageCross.Parameters.model_validate({"fast": fast, "slow": slow})
    found = scores(MovingAverageCross(parameters), prices)
    for i, score in enumerate(found):
        known = prices[: i + 1]
        if len(known) < slow:
            assert np.isnan(score)
        else:
            assert score == sign_of_averages(known, fast, slow)


def test_the_cross_is_long_in_a_rise_and_short_in_a_fall() -> None:
    found = scores(MovingAverageCross(), [*range(100, 160), *range(160, 60, -1)])
    assert found[59] == 1
    assert found[-1] == -1


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_reversion_follows_wilders_recipe(symbol: str) -> None:
    candles = columns_of(real(symbol))
    strategy = RsiReversion()
    found = strategy.score(candles)
    index = wilder([float(c) for c in candles.close], 14)
    for i in range(strategy.warm_up, len(candles)):
        wanted = 1 if index[i] <= 30 else -1 if index[i] >= 70 else 0
        assert found[i] == wanted, f"bar {i}: index {index[i]}"


def test_reversion_sees_nothing_in_a_price_that_stands_still() -> None:
    strategy = RsiReversion()
    assert scores(strategy, [100] * (strategy.warm_up + 3))[-1] == 0


def test_no_score_is_given_before_the_warm_up_is_over() -> None:
    for strategy in (MovingAverageCross(), RsiReversion()):
        found = strategy.score(columns_of(real("IBM")))
        assert np.isnan(found[: strategy.warm_up - 1]).all()
        assert not np.isnan(found[strategy.warm_up - 1])


@pytest.mark.parametrize(
    ("strategy", "parameters", "field"),
    [
        (MovingAverageCross, {"fast": 30, "slow": 10}, "parameters"),
        (MovingAverageCross, {"fast": 0}, "fast"),
        (MovingAverageCross, {"slow": 2.5}, "slow"),
        (MovingAverageCross, {"fasst": 5}, "fasst"),
        (RsiReversion, {"oversold": 80}, "parameters"),
        (RsiReversion, {"period": 1}, "period"),
        (RsiReversion, {"overbought": float("nan")}, "overbought"),
    ],
)
def test_a_wrong_parameter_is_named(
    strategy: type[Strategy], parameters: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        strategy.configured("x", parameters)
    assert caught.value.field.removeprefix("parameters.") == field


def test_every_wrong_parameter_is_named_at_once_with_what_would_be_right() -> None:
    with pytest.raises(InvalidInput) as caught:
        MovingAverageCross.configured("ma_cross", {"fast": 0, "slow": "many", "fats": 3})
    found = {each.field: each.message for each in (caught.value, *caught.value.more)}
    assert found == {
        "parameters.fast": "fast: input should be greater than or equal to 1, not 0",
        "parameters.slow": "slow: input should be a valid integer, unable to parse string as an"
        " integer, not 'many'",
        "parameters.fats": "fats: is no parameter; did you mean 'fast'?"
        + " (ma_cross takes fast, slow)",
    }
    assert all(message in caught.value.detail for message in found.values())


def test_parameters_that_do_not_fit_each_other_say_so_plainly() -> None:
    with pytest.raises(InvalidInput) as caught:
        MovingAverageCross.configured("ma_cross", {"fast": 30, "slow": 10})
    assert "Value error" not in caught.value.detail
    assert caught.value.field == "parameters"


def test_columns_hold_the_candles_in_order() -> None:
    bars = course([1, 2, 3])
    columns = columns_of(bars)
    assert columns.close.tolist() == [1, 2, 3]
    assert columns.time.tolist() == [bar.time.timestamp() for bar in bars]
    with pytest.raises(ValueError, match="no candles"):
        columns_of([])
