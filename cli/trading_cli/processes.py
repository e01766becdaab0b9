"""Child processes that never outlive their purpose."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from trading_cli.errors import UserError

GRACE_SECONDS = 120.0
"""How long a process may take to end by itself; an emulator saves its state meanwhile."""


def interrupt_on_signals() -> None:
    """Let SIGINT, SIGTERM and SIGHUP all raise KeyboardInterrupt, so that cleaning up happens.

    A shell starts background jobs with SIGINT ignored; this undoes that too.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Keep a second Ctrl-C from breaking off the cleaning up after the first."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that ended and only waits to be collected does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return True
    return stat.read_text().rpartition(")")[2].split()[0] != "Z"


def command_line(pid: int) -> str:
    """Return a process's command line; empty when there is no such process."""
    if Path("/proc/self").exists():
        with suppress(OSError):
            return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
        return ""
    asked = ["ps", "-o", "command=", "-p", str(pid)]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout


def stop_group(leader: int, grace: float = GRACE_SECONDS) -> None:
    """End a process that leads its group: ask it, wait, then kill what is left of the group."""
    with suppress(ProcessLookupError):
        os.kill(leader, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while is_alive(leader) and time.monotonic() < deadline:
        with suppress(ChildProcessError):
            os.waitpid(leader, os.WNOHANG)
        time.sleep(0.05)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(leader, 0)
    _wait_until_gone(leader)


def _wait_until_gone(group: int, seconds: float = 2.0) -> None:
    """Wait for killed processes to be gone; bounded, as some systems never collect them."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except (ProcessLookupError, PermissionError):
            return
        time.sleep(0.02)


def run_logged(
    what: str, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path
) -> None:
    """Run a command to its end, its output in ``log``; when interrupted, end it and its children.

    Raises UserError with the end of the log if it fails.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        child = subprocess.Popen(
            list(command),
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = child.wait()
        except BaseException:
            with uninterrupted():
                stop_group(child.pid, grace=5)
                child.poll()
            raise
    if status != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
        raise UserError(f"{what} failed (exit {status}); the end of {log}:\n{tail}")
