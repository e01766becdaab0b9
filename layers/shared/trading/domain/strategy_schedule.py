"""What the schedule runs, and which strategies have passed the check that lets them."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from pydantic import Field

from trading.domain.value import Value


class ScheduledStrategy(Value):
    """A strategy by name, with its parameters, defaults included."""

    name: str
    parameters: dict[str, Any] = Field(default_factory=dict)


class StrategySchedule(Value):
    """What runs at every turn of the schedule; without ``symbols`` the watched ones."""

    strategies: list[ScheduledStrategy]
    symbols: list[str] | None = None
    timeframe: str
    updated_at: datetime


class StrategyPass(Value):
    """That a strategy with these parameters and this code passed the check, on what, and when."""

    name: str
    parameters: dict[str, Any]
    code: str
    symbols: list[str]
    timeframe: str
    bars: int
    passed_at: datetime

    @property
    def key(self) -> str:
        """Names what was checked: strategy, parameters and code."""
        return pass_key(self.name, self.parameters, self.code)


def pass_key(name: str, parameters: dict[str, Any], code: str) -> str:
    """Names a strategy with parameters (JSON values, defaults included) and code."""
    text = json.dumps([name, parameters, code], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
