"""Cold start: how long a new process takes to import each function's handler module.

Every function of ``template.yaml`` is set beside ``bare_handler``, a FastAPI, Mangum and boto3
handler without the platform. Each sample is a whole new interpreter whose ``sys.path`` is laid out
as in Lambda (the functions, the layer, nothing installed in development mode), with bytecode on
disk, as the layers ship it. Samples alternate (bare, ours, bare, ours, ...), so that other work on
the machine hits both alike; the ratio is the median over the pairs.

``import`` is the module alone. ``ready`` makes the DynamoDB client too, which both handlers do on
first use. CPU is user and system time of the process, which hardly feels its neighbours.

    python -m benchmarks.cold_start [--rounds 9]
"""

from __future__ import annotations

import argparse
import functools
import os
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from benchmarks.machine import ROOT, described
from tests.support.aws import RESOURCES

AIM = 1.25
BARE = "benchmarks.bare_handler"
_BARE_CLIENT = "benchmarks.bare_handler.client()"
_OUR_CLIENTS = {"authorizer.handler": "authorizer.handler._client()"}
_PATHS = ("functions", "layers/shared", ".")


@dataclass(frozen=True)
class Sample:
    """Seconds that one process took, by the clock and on the processor."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Row:
    """Medians of one handler module and of the bare handler run beside it, in seconds."""

    ours: Sample
    bare: Sample
    wall_ratio: float
    cpu_ratio: float


def functions() -> dict[str, str]:
    """Return every function's handler module by logical id, as the template has it."""
    return {
        name: resource["Properties"]["Handler"].rpartition(".")[0]
        for name, resource in RESOURCES.items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def run(code: str) -> Sample:
    """Run some code in a new interpreter."""
    # -S leaves out what the virtual environment adds at start; Lambda has nothing of the kind.
    command = [sys.executable, "-S", "-c", code]
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=_environment())
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Sample(wall, usage.ru_utime + usage.ru_stime)


@functools.cache
def _environment() -> dict[str, str]:
    """The environment of the measured processes."""
    folders = [str(ROOT / path) for path in _PATHS] + [sysconfig.get_path("purelib")]
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    aws = {"AWS_DEFAULT_REGION": "us-east-1", "POWERTOOLS_SERVICE_NAME": "benchmark"}
    return kept | aws | {"PYTHONPATH": os.pathsep.join(folders)}


def imported(module: str) -> str:
    """Code that imports a module and no more."""
    return f"import {module}"


def ready(module: str) -> str:
    """Code that imports a handler and makes its DynamoDB client."""
    if module == BARE:
        return f"import {module}; {_BARE_CLIENT}"
    if module in _OUR_CLIENTS:
        return f"import {module}; {_OUR_CLIENTS[module]}"
    return f"import {module}; from trading import bootstrap; bootstrap.store()"


def compared(ours: str, bare: str, rounds: int) -> Row:
    """Run two pieces of code in turn and compare them."""
    run(bare), run(ours)  # Bytecode and the disk's cache are warm from here on.
    pairs = [(run(bare), run(ours)) for _ in range(rounds)]
    return Row(
        ours=Sample(median(o.wall for _, o in pairs), median(o.cpu for _, o in pairs)),
        bare=Sample(median(b.wall for b, _ in pairs), median(b.cpu for b, _ in pairs)),
        wall_ratio=median(o.wall / b.wall for b, o in pairs),
        cpu_ratio=median(o.cpu / b.cpu for b, o in pairs),
    )


def report(rounds: int) -> Iterator[str]:
    """Measure every handler module and give the report, line by line."""
    modules = functions()
    yield f"Cold start. {described()}. Medians of {rounds} pairs."
    for title, code in (("import", imported), ("ready", ready)):
        yield f"\n{title:34} {'ours ms':>8} {'bare ms':>8} {'ratio':>6} {'CPU ratio':>9}"
        rows: dict[str, Row] = {}
        for name, module in modules.items():
            if module not in rows:
                rows[module] = compared(code(module), code(BARE), rounds)
            row = rows[module]
            late = "  above the aim" if title == "import" and row.wall_ratio > AIM else ""
            yield (
                f"{name:34} {row.ours.wall * 1e3:8.0f} {row.bare.wall * 1e3:8.0f}"
                f" {row.wall_ratio:6.2f} {row.cpu_ratio:9.2f}{late}"
            )


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9, help="pairs per handler module")
    for line in report(parser.parse_args().rounds):
        print(line, flush=True)


if __name__ == "__main__":
    main()
