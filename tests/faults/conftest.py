"""What the fault tests share, and the table that they print."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.support.faults import Kind
from tests.support.faults_points import COVERED
from tests.support.faults_world import World


@pytest.fixture
def world(account: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An empty world; its logs are off, as it goes through thousands of requests."""
    logging.disable()
    yield World(monkeypatch)
    logging.disable(logging.NOTSET)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was covered."""
    if not COVERED:
        return
    terminalreporter.section("faults injected, by path and kind")
    kinds = [kind.value for kind in Kind]
    terminalreporter.write_line(
        f"{'path':<44}{'calls':>6}"
        + "".join(f"{k:>12}" for k in kinds)
        + f"{'points':>8}  recovered"
    )
    for covered in COVERED:
        counts = "".join(f"{covered.injected[kind]:>12}" for kind in Kind)
        terminalreporter.write_line(
            f"{covered.path:<44}{len(covered.calls):>6}{counts}"
            f"{covered.injected.total():>8}  {covered.recovered}"
        )
    total = sum(c.injected.total() for c in COVERED)
    recovered = sum(c.recovered for c in COVERED)
    terminalreporter.write_line(
        f"{len(COVERED)} paths, {sum(len(c.calls) for c in COVERED)} calls,"
        f" {total} faults injected, {recovered} recovered"
    )
