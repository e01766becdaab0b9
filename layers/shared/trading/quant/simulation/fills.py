"""Fills as columns of whole numbers, exact to eight decimals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SCALE = 10**8
"""Units of a quantity, price or fee per one: eight decimals, as amounts have everywhere."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Reason(IntEnum):
    """Why a fill happened."""

    ENTRY = 0
    EXIT = 1
    FLIP = 2
    STOP_LOSS = 3
    TAKE_PROFIT = 4
    OTHER = 5


class FillRecord(NamedTuple):
    """One fill in exact terms; ``quantity`` is negative for a sale, ``fee`` in quote currency."""

    step: int
    time: datetime
    symbol: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    reason: Reason


@dataclass(frozen=True, eq=False)
class FillColumns:
    """Fills in the order in which they happened; all columns are of one length.

    ``step`` is the place on the market's time axis of the bar it happened in, ``symbol`` the place
    in ``symbols``, ``time`` microseconds since 1970. Quantity (signed), price and fee are in
    hundred-millionths.
    """

    symbols: tuple[str, ...]
    step: NDArray[np.int64]
    symbol: NDArray[np.int32]
    quantity: NDArray[np.int64]
    price: NDArray[np.int64]
    fee: NDArray[np.int64]
    time: NDArray[np.int64]
    reason: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.step)

    @classmethod
    def of(cls, symbols: Sequence[str], records: Sequence[FillRecord]) -> FillColumns:
        """Columns of exact fills. Raises KeyError for a symbol that is not among ``symbols``."""
        import numpy as np

        place = {symbol: i for i, symbol in enumerate(symbols)}
        whole = {
            name: np.array([_units(getattr(r, name)) for r in records], np.int64)
            for name in ("quantity", "price", "fee")
        }
        return cls(
            tuple(symbols),
            step=np.array([r.step for r in records], np.int64),
            symbol=np.array([place[r.symbol] for r in records], np.int32),
            time=np.array([microseconds(r.time) for r in records], np.int64),
            reason=np.array([r.reason for r in records], np.int8),
            **whole,
        )

    def records(self) -> list[FillRecord]:
        """The fills in exact terms."""
        columns = (getattr(self, f.name).tolist() for f in fields(self) if f.name != "symbols")
        return [
            FillRecord(
                step=step,
                time=_EPOCH + timedelta(microseconds=time),
                symbol=self.symbols[symbol],
                quantity=exact(quantity),
                price=exact(price),
                fee=exact(fee),
                reason=Reason(reason),
            )
            for step, symbol, quantity, price, fee, time, reason in zip(*columns, strict=True)
        ]

    def same_as(self, other: FillColumns) -> str | None:
        """Say where two runs part, in words; None if every fill is the same."""
        mine, theirs = self.records(), other.records()
        for number, (a, b) in enumerate(zip(mine, theirs, strict=False), start=1):
            if a != b:
                return f"fill {number}: {a} and {b}"
        if len(mine) != len(theirs):
            return f"{len(mine)} fills and {len(theirs)}"
        return None


def exact(units: int) -> Decimal:
    """Hundred-millionths as an amount."""
    return Decimal(units).scaleb(-8)


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _units(amount: Decimal) -> int:
    """An amount in hundred-millionths. Raises ValueError for one with more decimals."""
    units = amount.scaleb(8)
    if units != units.to_integral_value():
        raise ValueError(f"{amount} has more than eight decimals")
    return int(units)
