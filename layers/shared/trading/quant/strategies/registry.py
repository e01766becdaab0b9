"""Finds strategies by entry point; a broken plug-in is named and takes nobody down."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import Any

from trading.domain.errors import InvalidInput
from trading.quant.strategies.strategy import Strategy

GROUP = "trading.strategies"
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """The strategies that loaded, by name, and why others did not."""

    strategies: Mapping[str, type[Strategy]]
    errors: Mapping[str, str]


def discover() -> Found:
    """Load every installed strategy."""
    strategies: dict[str, type[Strategy]] = {}
    errors: dict[str, str] = {}
    for entry in entry_points(group=GROUP):
        try:
            loaded = entry.load()
        except Exception as error:
            # Another team's package may fail in any way; it must not take the others with it.
            logger.exception("a strategy does not load", extra={"strategy": entry.name})
            errors[entry.name] = f"does not load: {type(error).__name__}"
            continue
        if isinstance(loaded, type) and issubclass(loaded, Strategy):
            strategies[entry.name] = loaded
        else:
            errors[entry.name] = "is not a Strategy class"
    return Found(dict(sorted(strategies.items())), errors)


def make(name: str, parameters: Mapping[str, Any], found: Found | None = None) -> Strategy:
    """Make a strategy by name. Raises InvalidInput for an unknown name or a wrong parameter."""
    available = found or discover()
    if name not in available.strategies:
        why = available.errors.get(name)
        near = get_close_matches(name, available.strategies, 1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        known = ", ".join(available.strategies) or "none"
        detail = f"'{name}' {why}" if why else f"there is no strategy '{name}'{hint}"
        raise InvalidInput("strategies", f"{detail} (available: {known})")
    return available.strategies[name].configured(name, parameters)
