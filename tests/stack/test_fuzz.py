"""The whole OpenAPI document tried by schemathesis on the deployed stack, all checks on.

The seed is fixed; ``make fuzz`` tries more, with ``SEED`` and ``CASES`` of one's choice.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.stack.trading_floor import open_floor
from tests.support.aws import ROOT
from tests.support.local_stack import LocalStack

SEED = os.environ.get("FUZZ_SEED", "20261123")
CASES = os.environ.get("FUZZ_CASES", "40")
"""At most so many inputs made at random for each operation."""
PHASES = os.environ.get("FUZZ_PHASES", "examples,fuzzing")
"""The phase ``coverage`` tries every bound of every field, whatever the seed; it takes minutes."""

KEYS = r"^/keys/\{id\}"
"""Operations on one key. Where ids are taken over from answers, they take away the very key that
everything is let in by, so that they are tried on their own."""


def test_no_input_makes_a_fault_or_an_answer_that_is_not_documented(
    stack: LocalStack, tmp_path: Path
) -> None:
    with stack.api(stack.key()) as api:
        open_floor(api, "fuzzed", "FUZZED", {})
    answered = tried(stack, tmp_path, PHASES, "--exclude-path-regex", KEYS)
    assert sum(answered.values()) >= 1500
    assert sum(n for status, n in answered.items() if 400 <= status < 500) >= 600


def test_nor_does_any_to_do_with_one_key(stack: LocalStack, tmp_path: Path) -> None:
    answered = tried(stack, tmp_path, PHASES, "--include-path-regex", KEYS)
    assert sum(answered.values()) >= 30


def test_nor_does_any_chain_of_requests(stack: LocalStack, tmp_path: Path) -> None:
    answered = tried(stack, tmp_path, "stateful", "--exclude-path-regex", KEYS)
    assert sum(answered.values()) >= 100


def tried(stack: LocalStack, tmp_path: Path, phases: str, *more: str) -> dict[int, int]:
    """Let schemathesis try the deployed API; returns how many answers had each status."""
    key = stack.key()
    report = tmp_path / "report.ndjson"
    line = [
        *(sys.executable, "-m", "schemathesis.cli"),
        *("--config-file", str(ROOT / "tests" / "stack" / "schemathesis.toml")),
        *("run", str(ROOT / "docs" / "openapi.json"), "--url", stack.api_url),
        *("-H", f"X-TRADING-API-KEY:{key}", "--seed", SEED, "--max-examples", CASES),
        *("--continue-on-failure", "--request-timeout", "60"),
        # One worker: with more, the seed does not bring the same inputs twice.
        *("--phases", phases, "--workers", "1"),
        *("--report-ndjson-path", str(report)),
        *more,
    ]
    hooks = {"SCHEMATHESIS_HOOKS": str(ROOT / "tests" / "stack" / "schemathesis_hooks.py")}
    done = subprocess.run(
        line, capture_output=True, text=True, check=False, cwd=tmp_path, env=os.environ | hooks
    )
    print(done.stdout[-20_000:], done.stderr[-4_000:])
    answered = statuses(report)
    assert done.returncode == 0, done.stdout[-20_000:]
    assert not [status for status in answered if status >= 500], answered
    return answered


def statuses(report: Path) -> dict[int, int]:
    """How many answers had each status."""
    found: dict[int, int] = {}

    def walk(value: object) -> None:
        if isinstance(value, dict):
            status = value.get("status_code")
            if isinstance(status, int):
                found[status] = found.get(status, 0) + 1
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    for line in report.read_text().splitlines():
        walk(json.loads(line))
    print(dict(sorted(found.items())))
    return found
