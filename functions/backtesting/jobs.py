"""Starts the work that a request is too short for; starting the same twice changes nothing."""

from __future__ import annotations

import json

from botocore.exceptions import BotoCoreError, ClientError

from trading import bootstrap, tracing
from trading.domain.backtest_run import BacktestRun, RunStatus, Sweep, SweepStatus
from trading.domain.errors import Unavailable
from trading.settings import settings


def start_run(run: BacktestRun) -> None:
    """Let a function run a backtest; Lambda tries twice more by itself. Raises Unavailable."""
    if run.status is not RunStatus.QUEUED:
        return
    event = {"run_id": run.id, "correlation_id": run.correlation_id}
    tracing.inject(event)
    try:
        bootstrap.function_client().invoke(
            FunctionName=settings().run_function,
            InvocationType="Event",
            Payload=json.dumps(event).encode(),
        )
    except (BotoCoreError, ClientError) as error:
        raise Unavailable("backtests cannot be started now; send the request again") from error


def start_sweep(sweep: Sweep) -> None:
    """Let the state machine run an attempt of a sweep. Raises Unavailable."""
    if sweep.status is not SweepStatus.QUEUED:
        return
    event = {
        "sweep_id": sweep.id,
        "attempt": sweep.attempt,
        "correlation_id": sweep.correlation_id,
    }
    client = bootstrap.workflow_client()
    try:
        client.start_execution(
            stateMachineArn=settings().sweep_machine,
            name=f"{sweep.id}-{sweep.attempt}",
            input=json.dumps(event),
        )
    except client.exceptions.ExecutionAlreadyExists:
        return
    except (BotoCoreError, ClientError) as error:
        raise Unavailable("sweeps cannot be started now; send the request again") from error
