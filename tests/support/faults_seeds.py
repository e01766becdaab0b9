"""States that only a fault leaves behind."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from tests.support.floor import good, order


def leave_in_outbox(key: str, **more: Any) -> None:
    """Save a recommendation by hand whose sender does not get to send it."""
    with patch("recommendations.routes.send", lambda *_: None):
        good("POST", "/recommendations", order(**more), key=key)
