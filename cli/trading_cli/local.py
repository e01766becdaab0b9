"""`trading up` and `trading down`: the platform on this machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Annotated

import typer

from trading_cli import emulator
from trading_cli.deploy import STACK_NAME, build, deploy, local_parameters
from trading_cli.emulator import Emulator
from trading_cli.output import console, step
from trading_cli.processes import interrupt_on_signals
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


def current_target(project: Project) -> Target:
    """AWS_ENDPOINT_URL if it is set, else the running emulator, else the real AWS."""
    if endpoint := os.environ.get("AWS_ENDPOINT_URL"):
        return Target(endpoint.rstrip("/"))
    running = emulator.find(emulator_folder(project))
    return running.target if running else Target()


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


def own_emulator(project: Project) -> Emulator:
    """Return the running emulator of `up`, started if need be."""
    running = emulator.find(emulator_folder(project))
    if running:
        return running
    with step("Starting the emulator on 127.0.0.1"):
        return emulator.start(emulator_folder(project), persist=True)


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
    target = current_target(project)
    if target.endpoint is None or target.own:
        target = own_emulator(project).target
    stack = bring_up(project, target, schedules=schedules)
    console.print(f"\nBase URL: {stack.api_url}", soft_wrap=True)
    console.print("Next: [bold]trading keys create[/] makes a key, [bold]trading down[/] stops it.")


def down(
    wipe: Annotated[bool, typer.Option("--wipe", help="Remove the state and the builds.")] = False,
) -> None:
    """Stop the local emulator; its state is kept for the next `up` unless wiped."""
    interrupt_on_signals()
    project = find_project()
    running = emulator.find(emulator_folder(project))
    if running:
        with step(f"Stopping the emulator (process {running.pid})"):
            running.stop()
    else:
        console.print("No emulator runs.")
    if wipe:
        shutil.rmtree(project.local, ignore_errors=True)
        console.print(f"Removed {project.local}")
