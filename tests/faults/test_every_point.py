"""Every fault at every call of every path: after recovery the books are those of a calm day."""

from __future__ import annotations

import importlib
from collections import Counter
from pathlib import Path as File

import pytest

from tests.support.faults import KINDS
from tests.support.faults_path import Path
from tests.support.faults_points import cover
from tests.support.faults_world import World
from tests.support.floor import good

NAMES = sorted(file.stem for file in (File(__file__).parent / "paths").glob("*.py"))
PATHS: dict[str, Path] = {
    name: importlib.import_module(f"tests.faults.paths.{name}").PATH for name in NAMES
}


@pytest.mark.parametrize("name", NAMES)
def test_the_books_do_not_notice_a_fault_at_any_call(world: World, name: str) -> None:
    path = PATHS[name]
    covered = cover(world, path)
    made = Counter(covered.calls)
    assert made >= path.calls, f"expected at least {path.calls}, saw {made}"
    assert not covered.failures, "\n".join(covered.failures)
    points = sum(len(KINDS[operation]) for operation in covered.calls)
    assert covered.injected.total() == covered.recovered == points
    assert good("POST", "/orders/reconcile", {})["differences"] == []
