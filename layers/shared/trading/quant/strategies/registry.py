"""Finds strategies by entry point; a broken plug-in is named and takes nobody down."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
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
        if not (isinstance(loaded, type) and issubclass(loaded, Strategy)):
            errors[entry.name] = "is not a Strategy class"
            continue
        try:
            _sound(loaded)
        except InvalidInput as error:
            errors[entry.name] = error.detail
        else:
            strategies[entry.name] = loaded
    return Found(dict(sorted(strategies.items())), errors)


@cache
def _installed(listed: Callable[..., object]) -> Found:  # noqa: ARG001 - what it was read with
    """What is installed, read once: packages do not come while a process runs."""
    return discover()


def strategy_class(name: str, found: Found | None = None) -> type[Strategy]:
    """An installed strategy by name. Raises InvalidInput for an unknown one."""
    available = found or _installed(entry_points)
    if name not in available.strategies:
        why = available.errors.get(name)
        near = get_close_matches(name, available.strategies, 1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        known = ", ".join(available.strategies) or "none"
        detail = f"'{name}' {why}" if why else f"there is no strategy '{name}'{hint}"
        raise InvalidInput("strategy", f"{detail} (available: {known})")
    return available.strategies[name]


def make(name: str, parameters: Mapping[str, Any], found: Found | None = None) -> Strategy:
    """Make a strategy by name. Raises InvalidInput for an unknown name or a wrong parameter."""
    strategy = strategy_class(name, found)
    return _sound(lambda: strategy.configured(name, parameters), schema=False)


def _sound(made: Callable[[], Strategy], *, schema: bool = True) -> Strategy:
    """Make a strategy and try all that is asked of it before it sees a candle.

    That its parameters have a ``schema`` is tried once, when it is found.
    Raises InvalidInput if it cannot be made, has no sensible warm-up or no schema.
    """
    try:
        strategy = made()
        bars: object = strategy.warm_up
        if schema:
            strategy.Parameters.model_json_schema()
    except InvalidInput:
        raise
    except Exception as error:
        # Another team's code, as above.
        logger.exception("a strategy cannot be made")
        raise InvalidInput("strategy", f"cannot be made: {type(error).__name__}") from error
    if not isinstance(bars, int) or bars < 1:
        raise InvalidInput("strategy", f"has a warm-up of {bars!r}, not of one bar or more")
    return strategy
