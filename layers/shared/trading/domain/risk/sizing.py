"""How much to trade: each method is one formula."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from trading.domain.errors import InvalidInput
from trading.domain.money import ONE, ZERO, average

Inputs = Mapping[str, Decimal]


def _fixed_quantity(_equity: Decimal, _price: Decimal, given: Inputs) -> Decimal:
    """The quantity given."""
    return given["quantity"]


def _fixed_notional(_equity: Decimal, price: Decimal, given: Inputs) -> Decimal:
    """Notional / price."""
    return average(given["notional"], price)


def _fixed_fraction(equity: Decimal, price: Decimal, given: Inputs) -> Decimal:
    """Equity * fraction / price."""
    return average(equity * given["fraction"], price)


def _volatility_target(equity: Decimal, price: Decimal, given: Inputs) -> Decimal:
    """Equity * min(1, target / volatility) / price: no leverage in calm markets."""
    share = min(ONE, average(given["target_volatility"], given["volatility"]))
    return average(equity * share, price)


def _atr_risk(equity: Decimal, _price: Decimal, given: Inputs) -> Decimal:
    """Equity * fraction / (atr * multiple): a fall by that many ATRs costs the fraction."""
    return average(equity * given["fraction"], given["atr"] * given["atr_multiple"])


def _kelly(equity: Decimal, price: Decimal, given: Inputs) -> Decimal:
    """Kelly's share W - (1 - W) / R (Kelly 1956), at least 0 and at most ``fraction``."""
    win = given["win_rate"]
    share = win - average(ONE - win, given["payoff_ratio"])
    return average(equity * max(ZERO, min(share, given["fraction"])), price)


METHODS: dict[str, tuple[tuple[str, ...], Callable[[Decimal, Decimal, Inputs], Decimal]]] = {
    "fixed_quantity": (("quantity",), _fixed_quantity),
    "fixed_notional": (("notional",), _fixed_notional),
    "fixed_fraction": (("fraction",), _fixed_fraction),
    "volatility_target": (("target_volatility", "volatility"), _volatility_target),
    "atr_risk": (("fraction", "atr", "atr_multiple"), _atr_risk),
    "kelly": (("win_rate", "payoff_ratio", "fraction"), _kelly),
}
"""By name: the inputs a method needs, and its formula on (equity, price, inputs)."""


def size(
    method: str, equity: Decimal, price: Decimal, given: Inputs, rate: Decimal = ONE
) -> Decimal:
    """The unrounded quantity of a method.

    ``equity`` and a given notional are in the base currency, ``price`` and an ATR in the quote
    currency, one unit of which is worth ``rate`` of the base currency. Nothing can be bought with
    equity that is gone. Raises InvalidInput naming an input that is missing.
    """
    needed, formula = METHODS[method]
    for name in needed:
        if name not in given:
            raise InvalidInput(name, f"is needed for the method {method}")
    in_base = dict(given)
    if "atr" in in_base:
        in_base["atr"] *= rate
    return formula(max(equity, ZERO), price * rate, in_base)
