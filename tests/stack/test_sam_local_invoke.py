"""Every event in `events/` is answered by its function in AWS's own runtime container."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pytest
import yaml

from tests.stack.docker_engine import reachable_from_containers, why_unusable
from tests.support.aws import RESOURCES

ROOT = Path(__file__).parents[2]
EVENTS = ROOT / "events"
BUILD = ROOT / ".local" / "build"
RUNTIME_IMAGE = "public.ecr.aws/lambda/python:3.11-x86_64"
INVOKE_SECONDS = 180
AT_ONCE = 2  # each call is a sam process and a container of its own

pytestmark = [pytest.mark.stack, pytest.mark.docker]

Answer = subprocess.CompletedProcess[str]


class DeployedStack(Protocol):
    """What is used here of the locally deployed stack."""

    endpoint: str
    environment: dict[str, dict[str, str]]


class SkipNotice:
    """A pytest plugin that ends the run's report with why these tests were skipped."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write the reason as a section of its own."""
        terminalreporter.section("SKIPPED: sam local invoke", yellow=True, bold=True)
        terminalreporter.write_line(f"No event ran in a Lambda container: {self.reason}")


@pytest.fixture(scope="module")
def engine(request: pytest.FixtureRequest) -> None:
    """Skip, aloud, where the Lambda runtime cannot be run."""
    if reason := why_unusable(RUNTIME_IMAGE):
        request.config.pluginmanager.register(SkipNotice(reason), "sam-local-invoke-skipped")
        pytest.skip(reason)


@pytest.fixture(scope="module")
def template(engine: None, stack: DeployedStack) -> Iterator[Path]:
    """Give the built template with the deployed stack's environment written into it.

    `sam local invoke --env-vars` sets only variables that the template declares, and
    AWS_ENDPOINT_URL, which leads to the local emulator, is rightly not among them. The copy lies
    beside its original because the paths in it are relative.
    """
    document = yaml.safe_load((BUILD / "template.yaml").read_text())
    path = BUILD / "template-local-invoke.yaml"
    with reachable_from_containers(stack.endpoint) as endpoint:
        for name, environment in stack.environment.items():
            properties = document["Resources"][name]["Properties"]
            declared = properties.setdefault("Environment", {}).setdefault("Variables", {})
            declared |= environment | {"AWS_ENDPOINT_URL": endpoint}
        path.write_text(yaml.safe_dump(document))
        yield path
    path.unlink()


@pytest.fixture(scope="module")
def answers(request: pytest.FixtureRequest, template: Path) -> Iterator[dict[str, Future[Answer]]]:
    """Invoke with every event that this run has selected, a few at a time."""
    selected: list[str] = [
        str(item.callspec.params["event"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.path == Path(__file__)
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {
            event: pool.submit(partial(invoke, template, function_of(event), event))
            for event in selected
        }
        pool.shutdown(cancel_futures=True)


def function_of(event: str) -> str:
    """The function whose handler an event names: `<service>/<entry point>.<case>.json`."""
    service, file = event.split("/")
    handler = f"{service}.handler.{file.split('.')[0]}"
    (name,) = (n for n, r in RESOURCES.items() if r.get("Properties", {}).get("Handler") == handler)
    return name


def invoke(template: Path, function: str, event: str) -> Answer:
    """Run `sam local invoke`; the answer is on stdout, the function's log on stderr."""
    sam = str(Path(sys.executable).with_name("sam"))
    options = ["--event", str(EVENTS / event), "--template-file", str(template)]
    defaults = {"AWS_DEFAULT_REGION": "us-east-1", "SAM_CLI_TELEMETRY": "0"}
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    return subprocess.run(
        [sam, "local", "invoke", function, "--skip-pull-image", *options],
        cwd=ROOT,
        env=defaults | os.environ | credentials,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=INVOKE_SECONDS,
        check=False,
    )


@pytest.mark.parametrize(
    "event", sorted(path.relative_to(EVENTS).as_posix() for path in EVENTS.glob("*/*.json"))
)
def test_the_event_is_answered_in_the_lambda_container(
    answers: dict[str, Future[Answer]], event: str
) -> None:
    run = answers[event].result()
    assert run.returncode == 0, run.stderr

    answer: Any = json.loads(run.stdout)

    if isinstance(answer, dict):
        # The authorizer refuses by raising this very word; the gateway makes it a 401.
        assert answer.get("errorMessage", "Unauthorized") == "Unauthorized", run.stderr
        assert answer.get("statusCode", 200) < 500, f"{answer}\n{run.stderr}"
