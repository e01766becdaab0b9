"""The command line: every command explains itself, and failures are sentences, not tracebacks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from trading_cli.deploy import SCHEDULES, local_parameters, source_fingerprint
from trading_cli.main import app
from trading_cli.processes import is_alive
from trading_cli.project import Project, find_project
from trading_cli.status import SERVICES
from trading_cli.target import Target

COMMANDS = [
    ["up"],
    ["down"],
    ["status"],
    ["audit"],
    ["demo"],
    *(["keys", verb] for verb in ("create", "list", "rotate", "revoke")),
    *(["dlq", verb] for verb in ("list", "redrive")),
    ["ledger", "verify"],
    *(["backtest", verb] for verb in ("run", "rerun", "sweep", "walk-forward", "cross-validate")),
    *(["candles", verb] for verb in ("check", "import", "export", "fetch")),
    *(["strategy", verb] for verb in ("list", "check")),
    ["parity"],
    ["halt"],
    ["resume"],
]


@pytest.mark.parametrize("command", [[], ["keys"], ["dlq"], ["ledger"], *COMMANDS], ids=" ".join)
def test_every_command_explains_itself(command: list[str]) -> None:
    shown = CliRunner().invoke(app, [*command, "--help"])
    assert shown.exit_code == 0
    assert "Usage:" in shown.output


def test_status_asks_every_service_that_answers_for_its_health() -> None:
    paths = json.loads((find_project().root / "docs" / "openapi.json").read_text())["paths"]
    assert set(SERVICES) == {p.split("/")[1] for p in paths if p.endswith("/health")}


def test_a_bad_option_is_refused_before_anything_starts() -> None:
    assert CliRunner().invoke(app, ["demo", "--every", "0"]).exit_code == 2
    assert CliRunner().invoke(app, ["demo", "--start", "yesterday"]).exit_code == 2


def test_an_unknown_symbol_ends_the_demo_with_one_sentence() -> None:
    shown = CliRunner().invoke(app, ["demo", "--symbols", "NOPE"])
    assert shown.exit_code == 1
    assert "not of NOPE" in shown.output
    assert "Traceback" not in shown.output


def test_an_endpoint_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    shown = CliRunner().invoke(app, ["status"])
    assert shown.exit_code == 1
    assert "127.0.0.1:9" in shown.output


def test_a_given_endpoint_is_used_with_fake_credentials_only_where_there_are_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    given = Target("http://127.0.0.1:9")
    assert given.environment()["AWS_ACCESS_KEY_ID"] == "test"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    assert given.environment()["AWS_ACCESS_KEY_ID"] == "mine"


def test_local_stacks_run_their_schedules_only_when_asked_and_never_fetch() -> None:
    off, on = local_parameters(schedules=False), local_parameters(schedules=True)
    assert {off[f"{name}State"] for name in SCHEDULES} == {"DISABLED"}
    assert on["SignalsGenerateState"] == "ENABLED"
    assert on["MarketFetchState"] == "DISABLED"


def test_every_schedule_of_the_template_is_known() -> None:
    template = find_project().template.read_text()
    states = {line.strip()[:-6] for line in template.splitlines() if line.endswith("State:")}
    assert states == set(SCHEDULES)


def test_a_changed_source_changes_the_fingerprint_of_a_build(tmp_path: Path) -> None:
    (tmp_path / "functions").mkdir()
    (tmp_path / "layers").mkdir()
    (tmp_path / "template.yaml").write_text("a: 1")
    project = Project(tmp_path)
    before = source_fingerprint(project)
    assert source_fingerprint(project) == before
    (tmp_path / "functions" / "handler.py").write_text("x = 1")
    changed = source_fingerprint(project)
    (tmp_path / "functions" / "handler.py").rename(tmp_path / "functions" / "routes.py")
    assert len({before, changed, source_fingerprint(project)}) == 3


def test_what_looks_like_markup_in_an_error_is_shown_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9/[/there]")
    shown = CliRunner().invoke(app, ["status"])
    assert shown.exit_code == 1
    assert "[/there]" in shown.output


CHILD = """
import sys
from trading_cli import emulator
from trading_cli.processes import interrupt_on_signals
interrupt_on_signals()
with emulator.temporary() as own:
    print('{"pid": %d, "folder": "%s"}' % (own.pid, own.folder), flush=True)
    import time; time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_no_emulator_behind(number: signal.Signals) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert child.stdout is not None
    with child, child.stdout:
        own = json.loads(child.stdout.readline())
        child.send_signal(number)
        assert child.wait(timeout=30) != 0
    deadline = time.monotonic() + 5
    while is_alive(own["pid"]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(own["pid"])
    assert not Path(own["folder"]).exists()
