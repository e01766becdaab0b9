"""What a key may do, one word per right: ``<service>:read``, ``<service>:write`` and two more."""

from __future__ import annotations

from collections.abc import Iterable

from trading.domain.errors import InvalidInput

SERVICES = (
    "market",
    "signals",
    "recommendations",
    "execution",
    "portfolio",
    "risk",
    "analytics",
    "backtests",
)
KEYS_ADMIN = "keys:admin"
"""Lets its holder issue keys with any scope, so it includes all the others in effect."""
METRICS_READ = "metrics:read"
SCOPES = frozenset(f"{service}:{verb}" for service in SERVICES for verb in ("read", "write")) | {
    KEYS_ADMIN,
    METRICS_READ,
}


def check_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    """Return the scopes sorted and once each. Raises InvalidInput naming one that is unknown."""
    wanted = sorted(set(scopes))
    if not wanted:
        raise InvalidInput("scopes", "must name at least one scope")
    for scope in wanted:
        if scope not in SCOPES:
            raise InvalidInput(
                "scopes", f"there is no scope '{scope[:64]}'; there are {', '.join(sorted(SCOPES))}"
            )
    return tuple(wanted)
