"""Finds weights by a method's name from the closes of some symbols."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from trading.domain.errors import InvalidInput
from trading.domain.money import ONE, ZERO, plain
from trading.domain.rebalance import AllocationMethod
from trading.quant.allocation.bounds import exact

if TYPE_CHECKING:
    from trading.quant.allocation.bounds import FloatArray

MIN_RETURNS = 20
"""Fewer returns that symbols have in common say too little of their risk."""
_STILL = 1e-12


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
    returns = _returns([closes[s] for s in symbols])
    if method is not AllocationMethod.EQUAL:
        _check_returns(symbols, returns)
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


def _returns(closes: Sequence[Sequence[Decimal]]) -> FloatArray:
    """Simple returns, bars by symbols."""
    import numpy as np

    values = np.array([[float(c) for c in one] for one in closes]).T
    returns: FloatArray = values[1:] / values[:-1] - 1
    return returns


def _check_returns(symbols: Sequence[str], returns: FloatArray) -> None:
    """Raise InvalidInput where risk cannot be measured."""
    bars = returns.shape[0]
    if bars < MIN_RETURNS:
        raise InvalidInput(
            "symbols",
            f"have too few candles in common: {bars} returns, at least {MIN_RETURNS} are needed",
        )
    for symbol, deviation in zip(symbols, returns.std(axis=0).tolist(), strict=True):
        if not deviation > _STILL:
            raise InvalidInput("symbols", f"'{symbol}' did not move: it has no risk to weigh by")
