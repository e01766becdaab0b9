"""Spaces of parameters: what may be tried, how many combinations that is, and which ones."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import product
from typing import Any

from pydantic import ValidationError

from trading.domain.errors import InvalidInput
from trading.quant.strategies.strategy import Strategy

MAX_TRIALS = 100_000
"""How many trials a sweep may have."""
TRIALS_A_SECOND = 400
"""About how many trials of 10,000 bars one processor core does a second, for estimates."""
DOLLARS_A_GB_SECOND = 0.0000166667
"""Lambda's price of computing (x86, us-east-1) when this was written, for estimates."""
GIGABYTES = 1.769
"""A function of this size has one processor core."""

_LARGEST = 1e15
"""No bound of a parameter is further from zero."""


@dataclass(frozen=True)
class Space:
    """The values of each parameter that are tried; a pair of bounds is for drawing at random."""

    values: Mapping[str, tuple[Any, ...]]
    uniform: Mapping[str, tuple[float, float]]

    @classmethod
    def read(cls, strategy: type[Strategy], given: Mapping[str, Any]) -> Space:
        """Check a space such as ``{"fast": {"range": [5, 50, 5]}, "slow": [20, 30]}``.

        A parameter takes a list (or ``{"values": [...]}``), ``{"range": [first, last, step]}`` with
        the last included, or ``{"uniform": [low, high]}``. Raises InvalidInput naming it.
        """
        known = list(strategy.Parameters.model_fields)
        if not given:
            raise InvalidInput("space", f"is empty; the parameters are {', '.join(known)}")
        values, uniform = {}, {}
        for name, spec in given.items():
            if name not in known:
                near = get_close_matches(name, known, 1)
                hint = f"; did you mean '{near[0]}'?" if near else ""
                raise InvalidInput(
                    f"space.{name}", f"is no parameter of it (it has {', '.join(known)}){hint}"
                )
            if isinstance(spec, Mapping) and set(spec) == {"uniform"}:
                uniform[name] = _bounds(name, spec["uniform"])
            else:
                values[name] = _values(name, spec)
                if not (isinstance(spec, Mapping) and "range" in spec):
                    _refuse_impossible(strategy, name, values[name])
        return cls(values, uniform)

    @property
    def count(self) -> int | None:
        """How many combinations there are; None where some are drawn from a range."""
        return None if self.uniform else math.prod(len(v) for v in self.values.values())

    def grid(self) -> Iterator[dict[str, Any]]:
        """Every combination. Raises InvalidInput where there is no end of them, or too many."""
        if self.count is None:
            name = next(iter(self.uniform))
            raise InvalidInput(f"space.{name}", "a uniform range has no grid; search at random")
        refuse(self.count)
        return (
            dict(zip(self.values, each, strict=True)) for each in product(*self.values.values())
        )

    def drawn(self, trials: int, seed: int) -> list[dict[str, Any]]:
        """Distinct random combinations, the same for the same seed; fewer where there are fewer."""
        refuse(trials)
        draw = random.Random(seed)  # noqa: S311 - a search, not a secret
        found: dict[str, dict[str, Any]] = {}
        for _ in range(20 * trials):
            one = {name: draw.choice(values) for name, values in self.values.items()}
            one |= {name: draw.uniform(*bounds) for name, bounds in self.uniform.items()}
            found.setdefault(repr(sorted(one.items())), one)
            if len(found) == trials:
                break
        return list(found.values())


def refuse(trials: int) -> None:
    """Raise InvalidInput, with the count, the time and the cost, for too many trials."""
    if trials <= MAX_TRIALS:
        return
    seconds = trials / TRIALS_A_SECOND
    cost = seconds * GIGABYTES * DOLLARS_A_GB_SECOND
    raise InvalidInput(
        "space",
        f"has {trials:,} combinations, and at most {MAX_TRIALS:,} are tried at once: at 10,000 bars"
        f" they would take about {seconds / 3600:,.1f} core hours and cost about"
        f" US$ {cost:,.2f} on Lambda; take fewer values, or search at random",
    )


def _refuse_impossible(strategy: type[Strategy], name: str, values: tuple[Any, ...]) -> None:
    """Raise InvalidInput for a listed value that the parameter can have in no combination."""
    for value in values:
        try:
            strategy.Parameters.model_validate({name: value})
        except ValidationError as error:
            # What speaks of several parameters, or of another one, is for the combination to tell.
            own = [each for each in error.errors() if each["loc"] == (name,)]
            if own:
                raise InvalidInput(f"space.{name}", f"{own[0]['msg']}, not {value!r}") from error


def _bounds(name: str, given: Any) -> tuple[float, float]:
    """The two ends of a range to draw from. Raises InvalidInput."""
    if not _numbers(given, 2) or not given[0] < given[1]:
        raise InvalidInput(f"space.{name}.uniform", "must be [low, high], two rising numbers")
    return float(given[0]), float(given[1])


def _values(name: str, spec: Any) -> tuple[Any, ...]:
    """The values that a parameter takes. Raises InvalidInput."""
    if isinstance(spec, Mapping) and set(spec) == {"range"}:
        return _range(name, spec["range"])
    listed = spec["values"] if isinstance(spec, Mapping) and set(spec) == {"values"} else spec
    if not isinstance(listed, list | tuple) or not listed:
        raise InvalidInput(
            f"space.{name}",
            'must be a list of values, {"range": [first, last, step]}, or {"uniform": [low, high]}',
        )
    for i, value in enumerate(listed):
        if not isinstance(value, str | int | float):
            raise InvalidInput(f"space.{name}.{i}", "must be a number, a text, true or false")
    return tuple(dict.fromkeys(listed))


def _range(name: str, given: Any) -> tuple[Any, ...]:
    """First, last (included) and step. Raises InvalidInput, also for more than can be tried."""
    where = f"space.{name}.range"
    if not _numbers(given, 3) or given[2] <= 0 or given[0] > given[1]:
        raise InvalidInput(where, "must be [first, last, step] with first <= last and step > 0")
    first, last, step = given
    count = math.floor((last - first) / step + 1e-9) + 1
    refuse(count)
    return tuple(first + i * step for i in range(count))


def _numbers(given: Any, count: int) -> bool:
    return (
        isinstance(given, list | tuple)
        and len(given) == count
        and all(isinstance(n, int | float) and not isinstance(n, bool) for n in given)
        and all(-_LARGEST <= n <= _LARGEST for n in given)
    )
