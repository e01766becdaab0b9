"""`trading up` and `trading down`: the platform on this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from trading_cli import emulator
from trading_cli.deploy import STACK_NAME, build, deploy, local_parameters
from trading_cli.emulator import Emulator
from trading_cli.output import console, step
from trading_cli.processes import interrupt_on_signals, uninterrupted
from trading_cli.project import Project, find_project
from trading_cli.stack import Stack
from trading_cli.target import Target

AWS_STACK_NAME = "trading"
StackName = Annotated[
    str | None,
    typer.Option(
        "--stack-name",
        help="The stack to talk to. [default: trading-local on an emulator, trading on AWS]",
        show_default=False,
    ),
]


def emulator_folder(project: Project) -> Path:
    """Return where the emulator that `up` starts keeps its state."""
    return project.local / "emulator"


def demo_folder(project: Project) -> Path:
    """Return where the emulator that `demo --keep` leaves up keeps its state."""
    return project.local / "demo"


def running_emulators(project: Project) -> list[Emulator]:
    """Return the emulators of this project that run, the one started last first."""
    folders = (emulator_folder(project), demo_folder(project))
    found = [e for e in map(emulator.find, folders) if e]
    return sorted(found, key=lambda e: e.started, reverse=True)


def given_target() -> Target | None:
    """Return AWS_ENDPOINT_URL as a target, or None where it is not set."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    return Target(endpoint.rstrip("/")) if endpoint else None


def current_target(project: Project) -> Target:
    """AWS_ENDPOINT_URL if it is set, else the emulator started last, else the real AWS."""
    if given := given_target():
        return given
    running = running_emulators(project)
    return running[0].target if running else Target()


def current_stack(name: str | None = None) -> Stack:
    """Return the stack that a command talks to. Raises UserError if it is not deployed."""
    target = current_target(find_project())
    return Stack.read(target, name or (STACK_NAME if target.endpoint else AWS_STACK_NAME))


def bring_up(project: Project, target: Target, *, schedules: bool = False) -> Stack:
    """Build and deploy the template to an emulator, telling how it goes."""
    with step("Building the services (the first time takes a while)"):
        build(project)
    with step(f"Deploying stack {STACK_NAME} to {target.endpoint}"):
        deploy(project, target, local_parameters(schedules=schedules))
    return Stack.read(target, STACK_NAME)


@contextmanager
def started_for_good(folder: Path) -> Iterator[Emulator]:
    """Provide the emulator of a folder, started if need be.

    One that was started here is left running, unless what it was started for fails.
    """
    if running := emulator.find(folder):
        yield running
        return
    with step("Starting the emulator on 127.0.0.1"):
        started = emulator.start(folder, persist=True)
    try:
        yield started
    except BaseException:
        with uninterrupted():
            started.stop()
        raise


def up(
    schedules: Annotated[
        bool, typer.Option(help="Let the stack's schedules run the strategies by themselves.")
    ] = False,
) -> None:
    """Start the local emulator, build and deploy the platform, and print its base URL.

    With AWS_ENDPOINT_URL set, nothing is started: the platform is deployed to that emulator.
    """
    interrupt_on_signals()
    project = find_project()
    if given := given_target():
        stack = bring_up(project, given, schedules=schedules)
    else:
        with started_for_good(emulator_folder(project)) as running:
            stack = bring_up(project, running.target, schedules=schedules)
    console.print(f"\nBase URL: {stack.api_url}", soft_wrap=True)
    console.print("Next: [bold]trading keys create[/] makes a key, [bold]trading down[/] stops it.")


def down(
    wipe: Annotated[bool, typer.Option("--wipe", help="Remove the state and the builds.")] = False,
) -> None:
    """Stop the local emulators, also that of `demo --keep`; their state is kept unless wiped."""
    interrupt_on_signals()
    project = find_project()
    running = running_emulators(project)
    for each in running:
        with step(f"Stopping the emulator on port {each.port}"):
            each.stop()
    if not running:
        console.print("No emulator runs.")
    if wipe:
        shutil.rmtree(project.local, ignore_errors=True)
        console.print(f"Removed {project.local}")
