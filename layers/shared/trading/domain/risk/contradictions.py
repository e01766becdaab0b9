"""Limits that cannot all mean what they say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING

from trading.domain.instrument import Instrument
from trading.domain.money import ONE, plain
from trading.domain.portfolio import TradingState
from trading.domain.risk.limits import RiskLimits
from trading.domain.risk.tail_figures import VarMethod

Contradiction = tuple[str, str]
"""The field to change, and what would be right."""

_ORDERED: tuple[tuple[str, str, str], ...] = (
    ("max_order_notional", "max_position_notional", "no position could take such an order"),
    ("max_allocation_percent", "max_symbol_exposure_percent", "exposure includes the holding"),
    ("max_net_leverage", "max_gross_leverage", "net exposure is never more than gross"),
    ("max_var_percent", "max_cvar_percent", "the shortfall is never less than value at risk"),
)
"""A field, the field that it must not exceed where both are set, and why."""


def contradictions(limits: RiskLimits) -> Iterator[Contradiction]:
    """What in these limits contradicts itself, each by the field to change."""
    for smaller, larger, why in _ORDERED:
        low, high = getattr(limits, smaller), getattr(limits, larger)
        if low is not None and high is not None and low > high:
            yield smaller, f"must be at most {larger}, {plain(high)}: {why}"
    if limits.on_breach is TradingState.ACTIVE:
        yield "on_breach", "must be reducing or halted: a breach has to stop something"
    outside = ONE - limits.var_confidence
    historical = limits.needs_tail and limits.var_method is VarMethod.HISTORICAL
    if historical and limits.var_window * outside < ONE:
        needed = (ONE / outside).to_integral_value(ROUND_CEILING)
        yield (
            "var_window",
            f"must be at least {plain(needed)} bars for one of them to lie beyond var_confidence"
            f" {plain(limits.var_confidence)}",
        )


def contradictions_with(
    limits: RiskLimits, instruments: Sequence[Instrument], base_currency: str
) -> Iterator[Contradiction]:
    """What in these limits does not fit the instruments that there are."""
    known = {instrument.symbol for instrument in instruments}
    unknown = [symbol for symbol in limits.allowed_symbols or () if symbol not in known]
    if unknown:
        yield "allowed_symbols", f"there is no instrument {', '.join(map(repr, unknown))}"
    allowed = [
        instrument.min_notional
        for instrument in instruments
        if limits.allowed_symbols is None or instrument.symbol in limits.allowed_symbols
        if instrument.quote_currency == base_currency
    ]
    for name in ("max_order_notional", "max_position_notional"):
        most = getattr(limits, name)
        if most is not None and allowed and most < min(allowed):
            smallest = plain(min(allowed))
            yield name, f"must be at least {smallest}, the smallest order that a venue takes"
