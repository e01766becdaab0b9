"""Builds the template with SAM and deploys it to an emulator."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from botocore.exceptions import ClientError

from trading_cli.errors import UserError
from trading_cli.processes import run_logged
from trading_cli.project import Project
from trading_cli.target import Target

STACK_NAME = "trading-local"
BUILT_MARK = "build.sha256"
VERSION_TAG = "source-version"
SCHEDULES = (
    "MarketFetch",
    "SignalsGenerate",
    "RecommendationsGenerate",
    "RecommendationsRelay",
    "ExecutionMatch",
    "ExecutionReconcile",
    "PortfolioSnapshot",
    "RiskStops",
    "RiskMeasure",
)
LOCAL_PARAMETERS = {"Stage": "local", "ThrottleRate": "10000", "ThrottleBurst": "10000"}


def local_parameters(*, schedules: bool) -> dict[str, str]:
    """Return the template's parameters for a local stack, its schedules on or off.

    Candles are never fetched from venues there: the caller supplies them.
    """
    states = {f"{name}State": "ENABLED" if schedules else "DISABLED" for name in SCHEDULES}
    return LOCAL_PARAMETERS | states | {"MarketFetchState": "DISABLED"}


def build(project: Project) -> None:
    """Run ``sam build`` unless nothing has changed since the last one."""
    mark = project.local / BUILT_MARK
    built = project.local / "build" / "template.yaml"
    with _one_at_a_time(project):
        fingerprint = source_fingerprint(project)
        if built.is_file() and mark.is_file() and mark.read_text() == fingerprint:
            return
        mark.unlink(missing_ok=True)
        _sam(
            project,
            "build",
            os.environ | _build_settings(),
            *("--template-file", str(project.template)),
            *("--build-dir", str(project.local / "build")),
            *("--cached", "--cache-dir", str(project.local / "cache"), "--parallel"),
        )
        mark.write_text(fingerprint)


def deploy(
    project: Project, target: Target, parameters: Mapping[str, str], stack_name: str = STACK_NAME
) -> None:
    """Run ``sam deploy`` of what was built, unless the stack is already just that."""
    with _one_at_a_time(project):
        mark = project.local / BUILT_MARK
        if not mark.is_file():
            raise UserError("There is no whole build to deploy: another run's has just failed.")
        built = mark.read_text()
        version = hashlib.sha256(f"{built} {sorted(parameters.items())}".encode()).hexdigest()
        if _deployed_version(target, stack_name) == version:
            return
        bucket = f"{stack_name}-artifacts"
        _ensure_bucket(target, bucket)
        _sam(
            project,
            "deploy",
            target.environment(),
            *("--template-file", str(project.local / "build" / "template.yaml")),
            *("--stack-name", stack_name, "--s3-bucket", bucket, "--region", target.region),
            *("--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"),
            *("--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"),
            *("--tags", f"{VERSION_TAG}={version}"),
            *("--parameter-overrides", *(f"{k}={v}" for k, v in sorted(parameters.items()))),
        )


def source_fingerprint(project: Project) -> str:
    """Return the SHA-256 of all that goes into a build: template, functions, layers, Python."""
    digest = hashlib.sha256(sys.version.encode())
    for path in _sources(project):
        digest.update(f"{path.relative_to(project.root)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _sources(project: Project) -> Iterator[Path]:
    """List the files that a build reads, sorted."""
    yield project.template
    for folder in ("functions", "layers"):
        for path in sorted((project.root / folder).rglob("*")):
            inside = path.relative_to(project.root).parts
            if path.is_file() and not any(p.startswith((".", "__pycache__")) for p in inside):
                yield path


def _build_settings() -> dict[str, str]:
    """Return what the layers' makefiles are told: the interpreter, and whose wheels to take.

    Functions run natively in the emulator, and Lambda's wheels only load on Linux on x86_64.
    """
    settings = {"PYTHON": sys.executable}
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        settings["TRADING_LAYER_PLATFORM"] = ""
    return settings


def _sam(project: Project, verb: str, env: Mapping[str, str], *arguments: str) -> None:
    """Run one sam command, with this interpreter's tools first on the path."""
    path = os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", os.defpath)])
    run_logged(
        f"sam {verb}",
        [sys.executable, "-m", "samcli", verb, *arguments],
        env={**env, "PATH": path, "SAM_CLI_TELEMETRY": "0"},
        cwd=project.root,
        log=project.local / "logs" / f"sam-{verb}.log",
    )


def _deployed_version(target: Target, stack_name: str) -> str | None:
    """Return the mark that the last whole deployment left on the stack, if there is one."""
    try:
        stack = target.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"][0]
    except ClientError:
        return None
    if stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        return None
    tags: dict[str, str] = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
    return tags.get(VERSION_TAG)


def _ensure_bucket(target: Target, name: str) -> None:
    """Create the bucket for the built artifacts if it is not there."""
    client = target.client("s3")
    try:
        client.head_bucket(Bucket=name)
    except ClientError:
        client.create_bucket(Bucket=name)


@contextmanager
def _one_at_a_time(project: Project) -> Iterator[None]:
    """Hold other runs of the tool off the build folder."""
    project.local.mkdir(parents=True, exist_ok=True)
    with (project.local / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
