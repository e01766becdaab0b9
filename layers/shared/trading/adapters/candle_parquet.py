"""Candles as Parquet: one float column each, exact."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from trading.domain.errors import InvalidInput
from trading.quant.strategies.candles import COLUMNS, Candles

MAGIC = b"PAR1"
"""What a Parquet file begins and ends with."""


def to_parquet(candles: Candles) -> bytes:
    """The bytes of a Parquet file with the candles' columns; the same for the same candles."""
    import numpy as np
    from arro3.core import Array, Table
    from arro3.io import write_parquet

    columns: dict[str, Any] = {
        name: Array.from_numpy(np.ascontiguousarray(getattr(candles, name), np.float64))
        for name in COLUMNS
    }
    file = BytesIO()
    write_parquet(Table.from_pydict(columns), file)
    return file.getvalue()


def from_parquet(content: bytes, symbol: str, timeframe: str) -> Candles:
    """Read them back. Raises InvalidInput for a file that lacks a column or is no Parquet."""
    from arro3.io import read_parquet

    if content[:4] != MAGIC or content[-4:] != MAGIC:
        raise InvalidInput("file", "is no Parquet file")
    try:
        table = read_parquet(BytesIO(content)).read_all()
    except Exception as error:
        # The library raises plain exceptions for broken files.
        raise InvalidInput("file", f"is a broken Parquet file: {error}") from error
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing:
        raise InvalidInput("file", f"has no column {', '.join(missing)}")
    columns: dict[str, Any] = {
        name: table.column(name).to_numpy().astype(float) for name in COLUMNS
    }
    return Candles(symbol, timeframe, **columns)
