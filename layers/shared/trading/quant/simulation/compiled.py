"""The compiled library, where it is installed, and how columns are handed to it."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trading.quant.simulation.fills import FillColumns

VERSION = 3
"""What the library must answer; raised with every change of its functions."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""glibc's M_TRIM_THRESHOLD and M_MMAP_THRESHOLD."""


_FILLS = ("step", "quantity", "price", "fee", "reason")


class FillBuffers(ctypes.Structure):
    """Where the library writes fills to or reads them from, and the books at the end."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in (*_FILLS, "at_end")),
        *((name, ctypes.c_int64) for name in ("room", "count", "cash_hi", "cash_lo", "held")),
    )

    @classmethod
    def of(cls, fills: FillColumns) -> FillBuffers:
        """Fills to be read."""
        given = cls(*(place(getattr(fills, name)) for name in _FILLS))
        given.count = len(fills)
        return given


@cache
def library() -> ctypes.CDLL | None:
    """The compiled library; None where there is none, or one of another version."""
    try:
        # Installed with the numeric layer; a machine without a compiler has none.
        import trading_kernel
    except ImportError:
        return None
    path = trading_kernel.library()
    if path is None:
        return None
    found = ctypes.CDLL(str(path))
    if not hasattr(found, "trading_version") or found.trading_version() != VERSION:
        return None
    _keep_memory()
    found.trading_profits.restype = ctypes.c_int64
    return found


def place(column: NDArray[Any]) -> int:
    """Where a column's numbers are, one after the other; quicker than its ``ctypes``."""
    found: int = column.__array_interface__["data"][0]
    return found


def address(column: NDArray[Any]) -> ctypes.c_void_p:
    """The same as an argument."""
    return ctypes.c_void_p(place(column))


def _keep_memory() -> None:
    """Let the C library keep what a run frees for the next one.

    It would hand columns back to the system one by one, and every page that is taken anew costs
    about as much as filling it. Where it is not glibc, nothing is asked for.
    """
    own = ctypes.CDLL(None)
    if hasattr(own, "gnu_get_libc_version"):
        own.mallopt(_TRIM_THRESHOLD, 256 * 2**20)
        own.mallopt(_MMAP_THRESHOLD, 32 * 2**20)
