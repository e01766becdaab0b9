"""What a figure depends on beside the code: the machine, the interpreter, the day."""

from __future__ import annotations

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Benchmarks import handlers by the path that they have in Lambda.
sys.path.insert(0, str(ROOT / "functions"))
_PACKAGES = ("fastapi", "pydantic", "mangum", "boto3", "aws-lambda-powertools")


def described() -> str:
    """Return a line for the head of every report."""
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    load = os.getloadavg()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores ({platform.machine()}),"
        f" load {load:.1f}, Python {platform.python_version()}, {packages}"
    )
