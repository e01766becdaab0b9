"""What the README shows is true: its strategy runs, its picture names what the template makes."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from tests.support.aws import RESOURCES, ROOT
from trading.quant.strategies.lookahead import problems
from trading.quant.strategies.strategy import Candles, Strategy

README = (ROOT / "README.md").read_text()
DRAWN = {"AWS::Serverless::Function", "AWS::DynamoDB::Table", "AWS::SQS::Queue"}


def block(language: str) -> str:
    """The first code block of a language."""
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found, f"the README has no {language} block"
    return found.group(1)


def random_walk(bars: int) -> Candles:
    generator = np.random.default_rng(7)
    close = 100 * np.exp(np.cumsum(generator.normal(0, 0.01, bars)))
    spread = np.abs(generator.normal(0, 0.5, bars))
    return Candles(
        "ACME", "1d", np.arange(bars) * 86_400.0, close, close + spread, close - spread, close,
        np.full(bars, 1000.0),
    )  # fmt: skip


def test_the_first_strategy_takes_ten_lines_and_is_honest() -> None:
    code = block("python")
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    names: dict[str, Any] = {}
    exec(code, names)
    (strategy,) = (
        v
        for v in names.values()
        if isinstance(v, type) and issubclass(v, Strategy) and v is not Strategy
    )
    candles = random_walk(500)
    assert problems(strategy(), candles) == []
    assert np.nansum(strategy().score(candles)) > 0


def test_the_picture_shows_every_function_table_and_queue_of_the_template() -> None:
    made = {name for name, r in RESOURCES.items() if r["Type"] in DRAWN}
    drawn = set(re.findall(r"\b[A-Z][A-Za-z]+(?:Function|Table|Queue)\b", block("mermaid")))
    assert drawn == made


def test_every_make_target_and_document_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE)) <= targets
    for path in re.findall(r"\]\(((?!http)[^)#]+)\)", README):
        assert (ROOT / path).exists(), path
