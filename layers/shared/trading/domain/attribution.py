"""Whose holdings are whose: units by the strategy or source behind the orders that opened them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from trading.domain.money import ONE, ZERO, average
from trading.domain.order import Side
from trading.domain.position import Position
from trading.domain.recommendation import Recommendation

MANUAL = "manual"

Shares = Mapping[str, Decimal]
"""Parts of one by name."""


def shares_of(recommendation: Recommendation) -> dict[str, Decimal]:
    """Who asked for a recommendation's order, in parts of one.

    Of a recommendation from signals: its strategies, by weight times score, those that spoke
    against it left out. Any other is its source's.
    """
    sign = ONE if recommendation.side is Side.BUY else -ONE
    said: dict[str, Decimal] = {}
    for part in recommendation.contributions:
        voice = max(ZERO, sign * part.weight * part.score)
        said[part.strategy] = said.get(part.strategy, ZERO) + voice
    total = sum(said.values(), ZERO)
    if not total:
        return {recommendation.source.partition(":")[0]: ONE}
    return {name: average(voice, total) for name, voice in said.items() if voice}


def sources_of(position: Position) -> dict[str, Decimal]:
    """The units of a position by whose they are; all a person's where nothing else is noted."""
    return position.sources or {MANUAL: position.quantity}


def attributed(before: Position, after: Position, shares: Shares | None) -> Position:
    """Return ``after`` with its units attributed, given what it was before a trade.

    Units that are added are those of ``shares`` (None: a person's); units that leave leave
    everybody's part in proportion; crossing zero begins anew.
    """
    was, now = before.quantity, after.quantity
    if was == now:
        return after
    if not (before.sources or shares):
        # A person's before, and a person's after.
        return after if after.sources is None else after.model_copy(update={"sources": None})
    stay = ZERO if was * now <= 0 else min(was, now, key=abs)
    sources = sources_of(before)
    total = sum(sources.values(), ZERO)
    parts = {name: average(units * stay, total) for name, units in sources.items()}
    for name, share in (shares or {MANUAL: ONE}).items():
        parts[name] = parts.get(name, ZERO) + average((now - stay) * share, ONE)
    left = {name: units for name, units in parts.items() if units}
    return after.model_copy(update={"sources": None if left.keys() <= {MANUAL} else left})
