"""Signals: one opinion of one source on one symbol at one moment."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import Field

from trading.domain.value import Value


class Signal(Value):
    """A score in [-1, 1]: -1 is sell with full conviction, +1 is buy.

    ``source`` is ``technical`` for the platform's own strategies, or the name of an outside
    source; ``strategy`` names the rule within it. ``time`` is when the signal became knowable
    (the close of the newest candle used), ``price`` the price then. Hints for an entry that
    follows: ``stop_distance`` and ``target_distance`` say where to leave it, as fractions of
    the price, ``size`` what part of the usual size to take.
    """

    id: str
    symbol: str
    source: str
    strategy: str
    score: Decimal = Field(ge=-1, le=1)
    time: datetime
    price: Decimal | None = None
    stop_distance: Decimal | None = Field(default=None, gt=0)
    target_distance: Decimal | None = Field(default=None, gt=0)
    size: Decimal | None = Field(default=None, gt=0, le=1)
    timeframe: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    created_at: datetime
    correlation_id: str
