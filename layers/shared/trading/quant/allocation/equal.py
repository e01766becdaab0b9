"""The same weight for every symbol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trading.quant.allocation.bounds import fitted

if TYPE_CHECKING:
    from trading.quant.allocation.bounds import FloatArray


def weights(returns: FloatArray, total: float, low: FloatArray, high: FloatArray) -> FloatArray:
    """1/n each (DeMiguel, Garlappi, Uppal 2009), within bounds; the returns do not matter."""
    import numpy as np

    return fitted(np.ones(len(low)), total, low, high)
