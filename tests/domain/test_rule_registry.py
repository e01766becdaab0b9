"""Every rule is registered, documented, and reads the limits that it says it reads."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any, cast

import pytest

import trading.domain.risk.rules as folder
from tests.domain.builders import d, order
from tests.domain.risk_states import context, portfolio
from trading.domain.risk.engine import judge
from trading.domain.risk.limits import RiskLimits
from trading.domain.risk.result import RuleResult
from trading.domain.risk.rule import RiskRule
from trading.domain.risk.rules import ALL_RULES

HOW_TO_MEASURE = {"var_method", "var_confidence", "var_horizon_bars"}
"""Read by the rules on the tail; the window is what the stored tail state is computed over."""
NOT_OF_A_RULE = HOW_TO_MEASURE | {"var_window", "on_breach", "version"}
EVERYTHING: dict[str, Any] = {
    name: 100 for name in RiskLimits.model_fields if name not in NOT_OF_A_RULE
} | {"allowed_symbols": ("ACME",)}


class Spy:
    """Limits that note which of them are read."""

    def __init__(self, limits: RiskLimits) -> None:
        self._limits = limits
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.read.add(name)
        return getattr(self._limits, name)


def test_every_file_in_the_folder_holds_one_registered_rule_and_every_rule_has_a_file() -> None:
    files = {path.stem for path in Path(str(folder.__file__)).parent.glob("*.py")} - {"__init__"}
    modules = [type(rule).__module__.rsplit(".", 1)[1] for rule in ALL_RULES]
    assert sorted(modules) == sorted(files)
    for name in files:
        module = importlib.import_module(f"{folder.__name__}.{name}")
        own = [
            c
            for _, c in inspect.getmembers(module, inspect.isclass)
            if c.__module__ == module.__name__
        ]
        assert len(own) == 1, name


def test_every_limit_belongs_to_exactly_one_rule() -> None:
    claimed = [field for rule in ALL_RULES for field in rule.limits]
    assert sorted(claimed) == sorted(set(RiskLimits.model_fields) - NOT_OF_A_RULE)


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.name)
def test_a_rule_reads_the_limits_that_it_documents_and_no_others(rule: RiskRule) -> None:
    found = context(order(1), portfolio(10, 20), EVERYTHING)
    spy = Spy(found.limits)
    found.limits = cast("RiskLimits", spy)
    assert rule.check(found).rule == rule.name
    of_the_tail = HOW_TO_MEASURE if rule.name in ("var", "cvar") else set()
    assert spy.read == set(rule.limits) | of_the_tail
    text = inspect.getdoc(type(rule)) or ""
    assert all(f"``{field}``" in text for field in rule.limits)


@pytest.mark.parametrize("rule", [r for r in ALL_RULES if r.limits], ids=lambda rule: rule.name)
def test_a_rule_without_its_limit_passes_and_reads_nothing_else(rule: RiskRule) -> None:
    blind = context(order(10**6), portfolio(rates={}), {}, marks=None, tail=None, volatility=None)
    found = rule.check(blind)
    assert (found.passed, found.limit) == (True, None)


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.name)
def test_every_result_has_a_sentence_without_a_gap_in_it(rule: RiskRule) -> None:
    for caps in (EVERYTHING, {}):
        found = rule.check(context(order(1), portfolio(10, 20), caps))
        assert len(found.message.split()) >= 3
        assert not {"{", "}", "None"} & set(found.message.split())


def test_the_limits_tell_what_has_to_be_read_for_them() -> None:
    assert RiskLimits().needs_all_positions
    for name in EVERYTHING:
        one = context(order(1), portfolio(), {name: EVERYTHING[name]}).limits
        read = {
            what
            for what, needed in (
                ("positions", one.needs_all_positions),
                ("marks", one.needs_marks),
                ("tail", one.needs_tail),
            )
            if needed
        }
        lost = name.startswith(("max_daily_loss", "max_drawdown"))
        assert ("marks" in read) is lost
        assert ("tail" in read) is (name in ("max_var_percent", "max_cvar_percent"))
        if {"marks", "tail"} & read:
            assert "positions" in read


def test_a_limit_that_needs_no_other_position_is_judged_without_them() -> None:
    whole = portfolio(10, 20)
    alone = whole.model_copy(update={"positions": {"ACME": whole.positions["ACME"]}, "rates": {}})
    for name, value in EVERYTHING.items():
        caps = context(order(1), whole, {name: value})
        if caps.limits.needs_all_positions:
            continue
        rule = next(rule for rule in ALL_RULES if name in rule.limits)
        assert rule.check(caps) == rule.check(context(order(1), alone, {name: value}))


def test_results_are_the_same_once_stored_and_read() -> None:
    verdict = judge(context(order(1), portfolio(10, 20), EVERYTHING))
    stored = verdict.model_dump()
    assert stored["results"][0].keys() == {"rule", "passed", "value", "limit", "message"}
    read = type(verdict).model_validate(stored)
    assert [r.as_dict() for r in read.results] == [r.as_dict() for r in verdict.results]


def test_a_sentence_says_words_of_others_as_they_are() -> None:
    told = RuleResult("trading_state", False, None, None, "trading is {2}", ("{0} halted",))
    assert told.message == "trading is {0} halted"
    assert RuleResult("x", True, d(1), None, "a {brace} stays").message == "a {brace} stays"
