"""From signals to one opinion, and from an opinion to the order that follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from trading.domain.candle import Price
from trading.domain.instrument import Instrument
from trading.domain.money import ONE, ZERO, average
from trading.domain.order import Side
from trading.domain.portfolio import Portfolio
from trading.domain.recommendation import Contribution
from trading.domain.signal import Signal
from trading.domain.trade_costs import affordable_quantity
from trading.domain.value import Value


class Opinion(Value):
    """The weighted mean score of several signals, with each one's part in it."""

    score: Decimal
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
    return Opinion(score=score, contributions=contributions)


def target_order(
    score: Decimal, portfolio: Portfolio, instrument: Instrument, mark: Price, budget: Decimal
) -> tuple[Side, Decimal] | None:
    """The order that moves a holding to where the score wants it; None if it is there.

    From flat, a score of at least ``entry_score`` buys ``score * target_fraction`` of equity,
    within ``budget`` (cash not spoken for) with spread, slippage and commission. From long, a
    score of at most ``exit_score`` sells all that is free. Quantities are whole lots, rounded
    down.
    """
    policy, account = portfolio.account.policy, portfolio.account
    held = portfolio.position(instrument.symbol, instrument.quote_currency)
    free = held.quantity - held.reserved_quantity
    if free > ZERO and score <= policy.exit_score:
        quantity = instrument.round_quantity(free)
        return (Side.SELL, quantity) if quantity else None
    if held.quantity == ZERO and held.reserved_notional == ZERO and score >= policy.entry_score:
        wanted = portfolio.equity * policy.target_fraction * score
        quantity = affordable_quantity(wanted / mark.price, budget, mark, instrument, account)
        return (Side.BUY, quantity) if quantity > ZERO else None
    return None
