"""``GET <prefix>/metrics``: durable figures in the Prometheus text format, version 0.0.4.

Figures come from the tables, at the moment of asking or a few seconds before, so they are exact
and the same from every process. The text is written here rather than by prometheus_client, which
is made to count inside one process and turns every value into a float.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from trading.domain.money import plain
from trading.settings import settings

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


@dataclass
class MetricFamily:
    """One metric with all its samples: ``MetricFamily(name, help).add(3, status="new")``."""

    name: str
    help: str
    kind: Literal["gauge", "counter"] = "gauge"
    samples: list[tuple[Mapping[str, str], Decimal]] = field(default_factory=list)

    def add(self, value: Decimal | int, **labels: str) -> MetricFamily:
        """Add a sample and return the family."""
        self.samples.append((labels, Decimal(value)))
        return self


class Scraped:
    """The text of a service's figures, read anew when it is older than the settings allow.

    A second scraper, or one that asks often, so costs no more reads.
    """

    def __init__(self, read: Callable[[], Iterable[MetricFamily]]) -> None:
        self._read = read
        self._text = ""
        self._until = -math.inf

    def text(self) -> str:
        """The figures in the text format. Raises Unavailable."""
        now = time.monotonic()
        if now >= self._until:
            self._text = exposition(self._read())
            self._until = now + settings().metrics_cache_seconds
        return self._text


def exposition(families: Iterable[MetricFamily]) -> str:
    """Write the families in the text format."""
    return "".join(line + "\n" for family in families for line in _lines(family))


def _lines(family: MetricFamily) -> Iterable[str]:
    explanation = family.help.replace("\\", r"\\").replace("\n", r"\n")
    yield f"# HELP {family.name} {explanation}"
    yield f"# TYPE {family.name} {family.kind}"
    for labels, value in family.samples:
        inner = ",".join(f'{k}="{v.translate(_ESCAPES)}"' for k, v in labels.items())
        yield (
            f"{family.name}{{{inner}}} {plain(value)}" if inner else f"{family.name} {plain(value)}"
        )
