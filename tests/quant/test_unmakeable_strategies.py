"""A plug-in that loads but cannot be made is named, and takes nobody down."""

from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from signals.handler import api
from tests.support.candles import course
from tests.support.http import invoke
from trading.domain.errors import InvalidInput
from trading.quant.strategies import registry
from trading.quant.strategies.ma_cross import MovingAverageCross
from trading.quant.strategies.strategy import Candles, Strategy, StrategyParameters
from trading.usecases.generate_signals import StrategyChoice, generate_signals


class Flat(Strategy):
    """Has no opinion."""

    warm_up = 1

    def score(self, candles: Candles) -> Any:
        return np.zeros(len(candles))


class Demanding(Flat):
    """Has a parameter without a default."""

    class Parameters(StrategyParameters):
        bars: int


class Unfinished(Strategy):
    """Lacks everything."""


class Raising(Flat):
    """Does not know its warm-up."""

    @property
    def warm_up(self) -> int:  # type: ignore[override]
        raise RuntimeError("secret")


class Backwards(Flat):
    """Asks for fewer bars than none."""

    warm_up = -3


class Fractional(Flat):
    """Asks for half a bar."""

    warm_up = 2.5  # type: ignore[assignment]


class Picky(Flat):
    """Runs as it comes, but not with every parameter that it takes."""

    class Parameters(StrategyParameters):
        bars: int = 1

    @property
    def warm_up(self) -> int:  # type: ignore[override]
        return 10 // int(self.parameters.bars)


class Short(Flat):
    """Forgets a bar, and what the last one says."""

    warm_up = 3

    def score(self, candles: Candles) -> Any:
        return np.full(len(candles) - 1, np.nan)


class Entry:
    """An entry point of an installed package."""

    def __init__(self, name: str, loaded: Any) -> None:
        self.name = name
        self.load = lambda: loaded


def install(monkeypatch: pytest.MonkeyPatch, loaded: type[Strategy]) -> None:
    entries = [Entry("plug_in", loaded), Entry("ma_cross", MovingAverageCross)]
    monkeypatch.setattr(registry, "entry_points", lambda group: entries)


UNMAKEABLE = [
    (Demanding, "ValidationError"),
    (Unfinished, "TypeError"),
    (Raising, "RuntimeError"),
    (Backwards, "-3"),
    (Fractional, "2.5"),
]


@pytest.mark.parametrize(("loaded", "why"), UNMAKEABLE)
def test_a_strategy_that_cannot_be_made_is_named_by_every_route(
    account: None, monkeypatch: pytest.MonkeyPatch, loaded: type[Strategy], why: str
) -> None:
    install(monkeypatch, loaded)
    listed = invoke(api, "GET", "/signals/strategies").json
    assert [strategy["name"] for strategy in listed["strategies"]] == ["ma_cross"]
    assert why in listed["errors"]["plug_in"]
    made = invoke(api, "POST", "/signals/generate", {"strategies": ["plug_in", "ma_cross"]})
    assert made.status == 200
    assert list(made.json["errors"]) == ["plug_in"]
    assert why in made.json["errors"]["plug_in"]
    assert "secret" not in made.text


def test_parameters_that_a_strategy_cannot_run_with_are_its_own_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(monkeypatch, Picky)
    assert registry.make("plug_in", {"bars": 5}).warm_up == 2
    with pytest.raises(InvalidInput, match="ZeroDivisionError"):
        registry.make("plug_in", {"bars": 0})


@pytest.mark.parametrize(
    ("given", "named"), [({"fast": -1}, "fast"), ({"slow": "x"}, "slow"), ({"fsat": 3}, "fsat")]
)
def test_a_wrong_parameter_is_named_in_what_the_route_answers(
    account: None, given: dict[str, Any], named: str
) -> None:
    body = {"strategies": [{"name": "ma_cross", "parameters": given}]}
    answer = invoke(api, "POST", "/signals/generate", body)
    assert answer.json["errors"]["ma_cross"].startswith(f"{named}: ")


def test_scores_of_the_wrong_length_are_an_error_even_without_a_last_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(monkeypatch, Short)
    bars = course([10, 11, 12, 13])
    market, signals = Mock(candles=Mock(return_value=bars[::-1])), Mock()
    made = generate_signals(
        market, signals, ["AAPL"], "1d", [StrategyChoice("plug_in")], bars[-1].close_time, "c"
    )
    assert made.errors == {"plug_in": "gave 2 scores for 3 bars"}
    signals.record.assert_not_called()
