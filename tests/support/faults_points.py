"""Runs a path undisturbed, then once for every fault at every one of its calls, and compares."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.support.faults import KINDS, Fault, Kind
from tests.support.faults_path import PASSING_SECONDS, STANDING, Delivery, Path
from tests.support.faults_world import World


@dataclass
class Covered:
    """What was done to one path."""

    path: str
    calls: list[str]
    injected: Counter[Kind] = field(default_factory=Counter)
    recovered: int = 0
    failures: list[str] = field(default_factory=list)


COVERED: list[Covered] = []
"""Every path run so far, for the table at the end."""


@dataclass(frozen=True)
class Result:
    """What a run leaves: every stored item, and what the sender was told at last."""

    items: dict[str, Any]
    answers: tuple[Any, ...]


def run(world: World, path: Path, fault: Fault | None) -> Result:
    """Go the path once, then recover, then let everything come once more."""
    event = path.act.event(world)
    path.act.concluded(world, world.work(event, fault))
    calls, fired = list(world.wire.calls), world.wire.fired
    world.clock.sleep(PASSING_SECONDS)
    learnt = path.act.again(world)
    for act in STANDING:
        act.again(world)
    if isinstance(path.act, Delivery):
        world.work(event)  # the same messages, late
    again = path.act.again(world)
    result = Result(world.items(path.act.ignored), (learnt, again))
    world.wire.calls, world.wire.fired = calls, fired
    return result


def cover(world: World, path: Path) -> Covered:
    """Run every point of a path. The undisturbed run is what all others are held to."""
    path.seed(world)
    world.save()
    expected = run(world, path, None)
    covered = Covered(path.name, list(world.wire.calls))
    COVERED.append(covered)
    path.outcome()
    for index, operation in enumerate(covered.calls):
        for kind in KINDS[operation]:
            fault = Fault(kind, index)
            world.restore()
            try:
                found = run(world, path, fault)
            except AssertionError as error:
                covered.failures.append(f"{operation} #{index} {kind}: {error}")
                continue
            covered.injected[kind] += world.wire.fired
            differences = _differences(expected, found)
            covered.recovered += not differences
            covered.failures += [f"{operation} #{index} {kind}: {d}" for d in differences]
    return covered


def _differences(expected: Result, found: Result) -> list[str]:
    """Name what differs, item by item."""
    keys = sorted(expected.items.keys() | found.items.keys())
    differences = []
    for key in keys:
        right, wrong = expected.items.get(key), found.items.get(key)
        if right != wrong:
            differences.append(f"{key}: {_changed(wrong, right)}")
    if expected.answers != found.answers:
        differences.append(f"answers {found.answers} instead of {expected.answers}")
    return differences


def _changed(wrong: Any, right: Any) -> str:
    """The attributes that differ."""
    if wrong is None or right is None:
        return "is missing" if wrong is None else f"should not be there: {wrong}"
    names = [n for n in sorted(wrong.keys() | right.keys()) if wrong.get(n) != right.get(n)]
    return "; ".join(f"{n} is {wrong.get(n)}, not {right.get(n)}" for n in names)
