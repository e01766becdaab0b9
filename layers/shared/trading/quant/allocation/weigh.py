"""Finds weights by a method's name from the closes of some symbols."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from decimal import Decimal

from trading.domain.errors import InvalidInput
from trading.domain.rebalance import AllocationMethod
from trading.domain.money import ONE, ZERO, plain
from trading.quant.allocation.bounds import exact

MIN_RETURNS = 20
"""Fewer returns that symbols have in common say too little of their risk."""


def weigh(
    method: AllocationMethod,
    closes: Mapping[str, Sequence[Decimal]],
    total: Decimal,
    low: Mapping[str, Decimal],
    high: Mapping[str, Decimal],
) -> dict[str, Decimal]:
    """Weights that add up to ``total``, by symbol, from closes of the same bars, oldest first.

    ``low`` and ``high`` bound symbols; those they leave out may have anything from zero to
    ``total``. Raises InvalidInput for bounds without room, for too few bars, for symbols that did
    not move or cannot be told apart.
    """
    import numpy as np

    symbols = sorted(closes)
    least = [low.get(s, ZERO) for s in symbols]
    most = [min(high.get(s, ONE), total) for s in symbols]
    _check_room(symbols, total, least, most)
    values = np.array([[float(c) for c in closes[s]] for s in symbols]).T
    returns = values[1:] / values[:-1] - 1
    if method is not AllocationMethod.EQUAL:
        _check_returns(symbols, returns.shape[0], returns.std(axis=0).tolist())
    found = importlib.import_module(f"trading.quant.allocation.{method}").weights(
        returns, float(total), np.array(least, dtype=float), np.array(most, dtype=float)
    )
    return dict(zip(symbols, exact(found.tolist(), total, least, most), strict=True))


def _check_room(
    symbols: Sequence[str], total: Decimal, low: Sequence[Decimal], high: Sequence[Decimal]
) -> None:
    """Raise InvalidInput, naming the field, where no weights within the bounds add up."""
    for symbol, least, most in zip(symbols, low, high, strict=True):
        if least > most:
            raise InvalidInput(f"min_weight.{symbol}", f"must be at most {plain(most)}")
    if sum(low, ZERO) > total:
        raise InvalidInput(
            "min_weight",
            f"adds up to {plain(sum(low, ZERO))}, more than the {plain(total)} to invest",
        )
    if sum(high, ZERO) < total:
        raise InvalidInput(
            "max_weight",
            f"adds up to {plain(sum(high, ZERO))}, less than the {plain(total)} to invest",
        )


def _check_returns(symbols: Sequence[str], bars: int, deviations: Sequence[float]) -> None:
    """Raise InvalidInput where risk cannot be measured."""
    if bars < MIN_RETURNS:
        raise InvalidInput(
            "symbols",
            f"have too few candles in common: {bars + 1}, at least {MIN_RETURNS + 1} are needed",
        )
    for symbol, deviation in zip(symbols, deviations, strict=True):
        if not deviation > 1e-12:
            raise InvalidInput("symbols", f"'{symbol}' did not move: it has no risk to weigh by")
