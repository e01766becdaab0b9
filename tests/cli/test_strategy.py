"""`trading strategy` lists what is installed and lets nobody cheat."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from trading.quant.strategies import registry
from trading.quant.strategies.strategy import Candles, Strategy
from trading_cli.main import app


class Peek(Strategy):
    """Knows the next close."""

    @property
    def warm_up(self) -> int:
        return 2

    def score(self, candles: Candles) -> Any:
        return np.append(np.nan, np.sign(np.append(np.diff(candles.close), 0))[1:])


def trading(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["strategy", *arguments])
    return result.exit_code, re.sub(r"\s+", " ", result.output + result.stderr)


def test_the_list_names_every_strategy_with_its_parameters() -> None:
    code, shown = trading("list")
    assert code == 0
    for word in ("ma_cross", "donchian", "pairs", "fast=10", "warm-up"):
        assert word in shown


@pytest.mark.parametrize("name", ["ma_cross", "pairs", "cross_sectional_momentum"])
def test_an_honest_strategy_passes(name: str) -> None:
    code, shown = trading("check", name)
    assert (code, "honest" in shown) == (0, True), shown


def test_a_cheat_is_named_with_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = type("Entry", (), {"name": "peek", "load": lambda _: Peek})()
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry])
    code, shown = trading("check", "peek")
    assert code == 1
    assert "fails: AAPL: looks ahead" in shown


def test_an_unknown_one_is_told_the_nearest() -> None:
    code, shown = trading("check", "donchain")
    assert code == 1
    assert "did you mean 'donchian'" in shown
