"""What the code promises of itself: import contracts, size of modules and functions, locks."""

import ast
import re
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest

from tests.support.aws import ROOT

SOURCES = ("functions", "layers/shared/trading", "layers/venues", "cli", "tests", "benchmarks")
MODULES = sorted(chain.from_iterable((ROOT / folder).rglob("*.py") for folder in SOURCES))
PRODUCT = [path for path in MODULES if path.relative_to(ROOT).parts[0] not in ("tests",)]
LOCKS = [ROOT / "requirements-dev.txt", *ROOT.glob("layers/*/requirements.txt")]


def name(path: Path) -> str:
    """A path as the report shows it."""
    return str(path.relative_to(ROOT))


def pins(lock: Path) -> dict[str, str]:
    """Package and version of every line of a lock."""
    return dict(re.findall(r"^([\w.-]+)==([\w.]+)", lock.read_text(), re.MULTILINE))


def test_the_import_contracts_hold() -> None:
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_no_module_is_longer_than_400_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", PRODUCT, ids=name)
def test_no_function_is_longer_than_60_lines(path: Path) -> None:
    functions = (
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    too_long = [f.name for f in functions if (f.end_lineno or 0) - f.lineno + 1 > 60]
    assert too_long == []


@pytest.mark.parametrize("lock", LOCKS, ids=name)
def test_locks_pin_by_hash_and_name_no_registry(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    for block in re.split(r"\n(?=[a-z])", text.strip()):
        assert "--hash=sha256:" in block


@pytest.mark.parametrize("lock", LOCKS[1:], ids=name)
def test_layers_ship_the_versions_that_tests_run_on(lock: Path) -> None:
    tested = pins(LOCKS[0])
    assert pins(lock).items() <= tested.items()
