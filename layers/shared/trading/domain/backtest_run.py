"""Backtests and sweeps that the platform runs for its users: what was asked, and how far it is."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pydantic import Field

from trading.domain.backtest import BacktestConfig
from trading.domain.money import ZERO
from trading.domain.value import Value

MAX_ATTEMPTS = 3
"""How often a run is begun before it is given up: the first try, and two that Lambda adds."""
STALLED = timedelta(minutes=30)
"""A sweep that says nothing for so long was broken off: no step takes longer than half of that."""


class RunStatus(StrEnum):
    """How far one backtest is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class SweepStatus(StrEnum):
    """How far a sweep is; ``stopped`` is one that its money cap ended, and can be resumed."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


class BacktestRun(Value):
    """One backtest that was asked for.

    ``config_text`` is the configuration's canonical text, so that it reads back to the byte.
    ``result_key`` names the stored result, by all that decided it; ``cached`` says that it was
    there before. ``figures`` are the key figures, by name; ``error`` says why it failed.
    """

    id: str
    config_text: str
    status: RunStatus = RunStatus.QUEUED
    attempts: int = 0
    created_at: datetime
    updated_at: datetime
    correlation_id: str
    error: str | None = None
    result_key: str | None = None
    cached: bool = False
    data_hash: str | None = None
    gear: str | None = None
    why_reference: str | None = None
    bars: int | None = None
    fills: int | None = None
    figures: dict[str, Decimal | None] = Field(default_factory=dict)

    @property
    def config(self) -> BacktestConfig:
        """What is to be run."""
        return BacktestConfig.model_validate_json(self.config_text)


class Sweep(Value):
    """Many backtests of one strategy that were asked for.

    ``space_text`` is the space of parameters as JSON. ``spent`` (US$) is what was reserved for
    chunks under way and measured for those that ended; it never passes ``max_cost`` but by what a
    chunk takes longer than expected. ``attempt`` counts the times that it was begun. ``trials`` is
    how many combinations there are, ``known`` how many of them had been computed before this
    attempt, ``tried`` how many it has computed. ``out_of_money`` is set by the chunk that the cap
    kept from starting.
    """

    id: str
    config_text: str
    space_text: str
    method: str
    wanted: int
    seed: int
    objective: str
    max_cost: Decimal = Field(gt=0)
    estimated_cost: Decimal = ZERO
    status: SweepStatus = SweepStatus.QUEUED
    attempt: int = 1
    created_at: datetime
    updated_at: datetime
    correlation_id: str
    spent: Decimal = ZERO
    trials: int | None = None
    known: int = 0
    tried: int = 0
    failed: int = 0
    chunks: int = 0
    out_of_money: bool = False
    data_hash: str | None = None
    error: str | None = None

    def resumable(self, now: datetime) -> bool:
        """Whether it may be begun again: it has stopped or failed, or has not moved for long."""
        if self.status in (SweepStatus.STOPPED, SweepStatus.FAILED):
            return True
        return self.status is not SweepStatus.DONE and now - self.updated_at > STALLED

    @property
    def space(self) -> dict[str, Any]:
        """The values that each parameter may take, as they were given."""
        given: dict[str, Any] = json.loads(self.space_text)
        return given

    @property
    def config(self) -> BacktestConfig:
        """What every trial has in common."""
        return BacktestConfig.model_validate_json(self.config_text)
