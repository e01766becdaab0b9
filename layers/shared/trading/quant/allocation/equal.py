"""The same weight for every symbol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trading.quant.allocation.bounds import fitted

if TYPE_CHECKING:
    from trading.quant.allocation.bounds import FloatArray


def weights(returns: FloatArray, total: float, low: FloatArray, high: FloatArray) -> FloatArray:
    """1/n each (DeMiguel, Garlappi, Uppal 2009), within bounds; only their number matters."""
    import numpy as np

    return fitted(np.ones(returns.shape[1]), total, low, high)
