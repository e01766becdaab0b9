"""The local emulator: it comes up on 127.0.0.1, keeps its state, and leaves nothing behind."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from trading_cli import emulator
from trading_cli.emulator import Emulator
from trading_cli.processes import is_alive


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Emulator]:
    started = emulator.start(tmp_path / "emulator", persist=True)
    yield started
    started.stop()


def listening_on_every_interface(port: int) -> bool:
    """Whether the port answers on an address of this machine other than 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.2", port)) == 0


def test_an_emulator_is_found_while_it_runs_and_gone_once_it_is_stopped(running: Emulator) -> None:
    assert emulator.find(running.folder) == running
    assert running.is_healthy()
    running.stop()
    assert emulator.find(running.folder) is None
    assert not is_alive(running.pid)
    assert not running.is_healthy()


def test_it_listens_on_the_loopback_address_only(running: Emulator) -> None:
    assert not listening_on_every_interface(running.port)


def test_state_is_there_again_after_a_restart(running: Emulator) -> None:
    running.target.client("sqs").create_queue(QueueName="kept")
    running.stop()
    again = emulator.start(running.folder, persist=True)
    try:
        urls = again.target.client("sqs").list_queues().get("QueueUrls", [])
        assert [url.rpartition("/")[2] for url in urls] == ["kept"]
        assert again.port == running.port
    finally:
        again.stop()


def test_a_port_that_somebody_else_took_meanwhile_is_given_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (tmp_path / "port").write_text(str(port))
        own = emulator.start(tmp_path, persist=False)
        try:
            assert own.port != port
        finally:
            own.stop()


def test_a_temporary_emulator_leaves_neither_process_nor_folder() -> None:
    with emulator.temporary() as own:
        assert own.is_healthy()
    assert not is_alive(own.pid)
    assert not own.folder.exists()


def test_a_temporary_emulator_is_stopped_when_its_user_is_interrupted() -> None:
    with pytest.raises(KeyboardInterrupt), emulator.temporary() as own:
        raise KeyboardInterrupt
    assert not is_alive(own.pid)


def test_stopping_ends_the_workers_of_functions_too(running: Emulator, tmp_path: Path) -> None:
    client = running.target.client("lambda")
    client.create_function(
        FunctionName="sleeper",
        Runtime="python3.11",
        Role="arn:aws:iam::000000000000:role/any",
        Handler="sleeper.handle",
        Code={"ZipFile": zipped("sleeper.py", "import os\ndef handle(e, c): return os.getpid()")},
    )
    client.get_waiter("function_active_v2").wait(FunctionName="sleeper")
    worker = int(client.invoke(FunctionName="sleeper")["Payload"].read())
    assert is_alive(worker)
    running.stop()
    assert not is_alive(worker)


def test_nothing_of_the_users_environment_reaches_functions(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SOMEBODYS_SECRET", "hush")
    own = emulator.start(tmp_path, persist=False)
    try:
        environment = Path(f"/proc/{own.pid}/environ")
        if not environment.exists():
            pytest.skip("this system does not show a process's environment")
        assert b"SOMEBODYS_SECRET" not in environment.read_bytes()
    finally:
        own.stop()


def test_a_number_that_another_process_got_since_is_not_taken_for_the_emulator(
    tmp_path: Path,
) -> None:
    (tmp_path / "emulator.json").write_text(f'{{"pid": {os.getpid()}, "port": 1}}')
    assert emulator.find(tmp_path) is None


def test_own_clients_use_none_of_the_users_credentials(
    running: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    assert running.target.client("sts")._request_signer._credentials.access_key == "test"
    environment = running.target.environment()
    assert environment["AWS_ACCESS_KEY_ID"] == "test"
    assert environment["AWS_ENDPOINT_URL"] == running.target.endpoint
    assert boto3.session.Session().get_credentials() is not None


def zipped(name: str, text: str) -> bytes:
    """A zip file with one file in it."""
    import io
    import zipfile

    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(name, text)
    return held.getvalue()
