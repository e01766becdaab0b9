"""The local AWS emulator: one process on 127.0.0.1 with its workers, started and stopped whole."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from trading_cli.errors import UserError
from trading_cli.processes import command_line, is_alive, stop_group, uninterrupted
from trading_cli.target import FAKE_CREDENTIALS, REGION, Target

HOST = "127.0.0.1"
START_SECONDS = 60.0
SERVICES = (
    "lambda,s3,iam,sts,cloudformation,dynamodb,sqs,sns,apigateway,logs,monitoring,events,"
    "scheduler,secretsmanager,ssm,states"
)


@dataclass(frozen=True)
class Emulator:
    """A running emulator: its process, its port, and the folder with all it writes.

    ``child`` is set where this very process started it.
    """

    pid: int
    port: int
    folder: Path
    child: subprocess.Popen[bytes] | None = field(default=None, compare=False, repr=False)

    @property
    def target(self) -> Target:
        """The emulator as an AWS endpoint."""
        return Target(f"http://{HOST}:{self.port}", own=True)

    @property
    def started(self) -> float:
        """When it was started, in seconds since 1970."""
        return _record(self.folder).stat().st_mtime

    @property
    def log(self) -> Path:
        """What the emulator said."""
        return self.folder / "emulator.log"

    def is_ours_and_alive(self) -> bool:
        """Tell whether the process runs and is an emulator, not one that got its number later."""
        return is_alive(self.pid) and "ministack" in command_line(self.pid)

    def is_healthy(self) -> bool:
        """Tell whether it answers."""
        try:
            url = f"http://{HOST}:{self.port}/_ministack/health"
            return httpx.get(url, timeout=2, trust_env=False).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def stop(self) -> None:
        """End the process, which saves its state, and every worker of it."""
        with uninterrupted():
            if self.is_ours_and_alive():
                stop_group(self.pid)
            if self.child:
                self.child.poll()
            _record(self.folder).unlink(missing_ok=True)
            shutil.rmtree(self.folder / "tmp", ignore_errors=True)


def find(folder: Path) -> Emulator | None:
    """Return the emulator that runs in ``folder``, if one does."""
    record = _record(folder)
    if not record.is_file():
        return None
    noted = json.loads(record.read_text())
    emulator = Emulator(pid=noted["pid"], port=noted["port"], folder=folder)
    return emulator if emulator.is_ours_and_alive() else None


def start(folder: Path, *, persist: bool) -> Emulator:
    """Start an emulator on a free port and wait until it answers; ``persist`` keeps its state.

    Raises UserError if it does not come up.
    """
    folder = folder.resolve()
    for name in ("state/s3", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    port = _port_of(folder)
    with (folder / "emulator.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            env=_environment(folder, port, persist=persist),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    emulator = Emulator(process.pid, port, folder, process)
    try:
        _record(folder).write_text(json.dumps({"pid": process.pid, "port": port}))
        _wait_until_healthy(emulator)
    except BaseException:
        emulator.stop()
        raise
    return emulator


@contextmanager
def temporary() -> Iterator[Emulator]:
    """Run an emulator whose state is thrown away at the end."""
    folder = Path(tempfile.mkdtemp(prefix="trading-"))
    emulator = None
    try:
        emulator = start(folder, persist=False)
        yield emulator
    finally:
        with uninterrupted():
            if emulator:
                emulator.stop()
            shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """Return a port on 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _port_of(folder: Path) -> int:
    """Return the port of the last run if it is free, so that kept addresses stay true."""
    note = folder / "port"
    port = int(note.read_text()) if note.is_file() else 0
    with socket.socket() as probe:
        # As a server binds: connections of the last run that linger are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            port = 0
    chosen = port or free_port()
    note.write_text(str(chosen))
    return chosen


def _record(folder: Path) -> Path:
    """Return the file that notes the process and its port."""
    return folder / "emulator.json"


def _wait_until_healthy(emulator: Emulator) -> None:
    """Return once the emulator answers; raise UserError if it ends or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and is_alive(emulator.pid):
        if emulator.is_healthy():
            return
        time.sleep(0.1)
    raise UserError(f"The emulator does not start; {emulator.log} says why.")


def _environment(folder: Path, port: int, *, persist: bool) -> dict[str, str]:
    """Return the whole environment; functions inherit it, so nothing of the user's is in it."""
    return FAKE_CREDENTIALS | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.defpath]),
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "LANG": "C.UTF-8",
        "AWS_DEFAULT_REGION": REGION,
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        # Both would listen on every interface.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "1" if persist else "0",
        "STATE_DIR": str(folder / "state"),
        "S3_PERSIST": "1" if persist else "0",
        "S3_DATA_DIR": str(folder / "state" / "s3"),
        "LAMBDA_EXECUTOR": "local",
        # A worker is a process of some 50 MB; unbounded parallel requests would make hundreds.
        "LAMBDA_ACCOUNT_CONCURRENCY": "16",
        "SERVICES": SERVICES,
    }
