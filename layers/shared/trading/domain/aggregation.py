"""From signals to one opinion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from trading.domain.money import ONE, ZERO, average
from trading.domain.recommendation import Contribution
from trading.domain.signal import Signal
from trading.domain.value import Value


class Opinion(Value):
    """The weighted mean score of several signals, with each one's part in it.

    Signals that weigh something and point the same way may say how far from the price to leave
    (fractions of it), or what part of the usual size to take: the smallest of each counts.
    """

    score: Decimal
    stop_distance: Decimal | None = None
    target_distance: Decimal | None = None
    size: Decimal = ONE
    contributions: list[Contribution]


def aggregate(signals: Sequence[Signal], weights: Mapping[str, Decimal]) -> Opinion | None:
    """Weigh signals by strategy (1 where not named); None without any weight."""
    contributions = [
        Contribution(
            signal_id=s.id,
            source=s.source,
            strategy=s.strategy,
            score=s.score,
            weight=weights.get(s.strategy, ONE),
        )
        for s in sorted(signals, key=lambda s: s.id)
    ]
    total = sum((c.weight for c in contributions), ZERO)
    if total <= ZERO:
        return None
    score = average(sum((c.score * c.weight for c in contributions), ZERO), total)
    agreeing = [s for s in signals if weights.get(s.strategy, ONE) and s.score * score > ZERO]
    return Opinion(
        score=score,
        contributions=contributions,
        stop_distance=_smallest([s.stop_distance for s in agreeing]),
        target_distance=_smallest([s.target_distance for s in agreeing]),
        size=_smallest([s.size for s in agreeing]) or ONE,
    )


def _smallest(hints: Sequence[Decimal | None]) -> Decimal | None:
    """The smallest of those that say anything."""
    return min((hint for hint in hints if hint is not None), default=None)
