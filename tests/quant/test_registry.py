"""Strategies are found by entry point, and a broken one stands alone."""

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from trading.domain.errors import InvalidInput
from trading.quant.strategies import registry
from trading.quant.strategies.ma_cross import MovingAverageCross

OWN = "trading.quant.strategies.ma_cross:MovingAverageCross"


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One good plug-in among broken ones."""
    values = {
        "good": OWN,
        "gone": "no_such_package:Strategy",
        "unnamed": "trading.quant.strategies.ma_cross:NoSuchClass",
        "function": "trading.quant.strategies.strategy:columns_of",
    }
    entries = [EntryPoint(name, value, registry.GROUP) for name, value in values.items()]
    monkeypatch.setattr(registry, "entry_points", lambda group: entries)


def test_the_platforms_own_strategies_are_found() -> None:
    found = registry.discover()
    assert {"ma_cross", "rsi_reversion"} <= found.strategies.keys()
    assert found.errors == {}


def test_broken_plug_ins_are_named_and_take_nobody_down(installed: None) -> None:
    found = registry.discover()
    assert found.strategies == {"good": MovingAverageCross}
    assert found.errors["gone"] == "does not load: ModuleNotFoundError"
    assert found.errors["unnamed"] == "does not load: AttributeError"
    assert found.errors["function"] == "is not a Strategy class"


def test_asking_for_a_broken_plug_in_says_what_is_wrong_with_it(installed: None) -> None:
    with pytest.raises(InvalidInput, match="'gone' does not load"):
        registry.make("gone", {})


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(InvalidInput, match="did you mean 'rsi_reversion'"):
        registry.make("rsi_revresion", {})


def test_a_strategy_is_made_with_its_parameters() -> None:
    assert registry.make("ma_cross", {"fast": 3, "slow": 7}).warm_up == 7


@pytest.mark.parametrize("service", ["market", "portfolio", "signals"])
def test_importing_a_handler_loads_no_heavy_library(service: str) -> None:
    heavy = "{'numpy', 'talib', 'daqp', 'ccxt'}"
    code = f"import sys, {service}.handler; print(sorted({heavy} & set(sys.modules)))"
    paths = [path for path in sys.path if path]
    run = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {paths!r}; {code}"],
        capture_output=True, text=True, check=True, env={"AWS_DEFAULT_REGION": "us-east-1"},
    )  # fmt: skip
    assert run.stdout.strip() == "[]"
