"""Bulk history of candles: one Parquet object per symbol, timeframe and month (UTC)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from trading.adapters.candle_parquet import from_parquet, to_parquet
from trading.quant.strategies.candles import COLUMNS, Candles, joined


@dataclass(frozen=True)
class Stored:
    """What storing candles changed, in bars."""

    created: int = 0
    unchanged: int = 0
    replaced: int = 0

    def __add__(self, other: Stored) -> Stored:
        """Both together."""
        return Stored(
            self.created + other.created,
            self.unchanged + other.unchanged,
            self.replaced + other.replaced,
        )


class CandleArchive:
    """A bucket of candles; ``client`` is boto3's for S3."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, candles: Candles) -> Stored:
        """Store candles that rise in time; a bar of the same time is replaced where it differs.

        Repeating it changes nothing. One writer per symbol and timeframe at a time: a month is
        read, merged and written whole.
        """
        total = Stored()
        for month, part in _by_month(candles):
            key = self._key(candles.symbol, candles.timeframe, month)
            merged, stored = _merged(self._read(key, candles), part)
            if stored.created or stored.replaced:
                self._client.put_object(Bucket=self._bucket, Key=key, Body=to_parquet(merged))
            total += stored
        return total

    def has(self, symbol: str, timeframe: str) -> bool:
        """Whether there are any candles of a symbol."""
        listed = self._client.list_objects_v2(
            Bucket=self._bucket, Prefix=_prefix(symbol, timeframe), MaxKeys=1
        )
        return bool(listed.get("Contents"))

    def get(
        self,
        symbol: str,
        timeframe: str,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Candles | None:
        """The candles that open at or after ``start`` and before ``end``; None for none."""
        import numpy as np

        low = -np.inf if start is None else start.timestamp()
        high = np.inf if end is None else end.timestamp()
        parts = []
        for key in self._keys(symbol, timeframe):
            month = _month_of(key)
            if (end is not None and month >= end) or (start is not None and _after(month) <= start):
                continue
            body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            parts.append(from_parquet(body, symbol, timeframe))
        if not parts:
            return None
        whole = joined(parts)
        first, last = np.searchsorted(whole.time, [low, high])
        return whole.part(int(first), int(last)) if first < last else None

    def _keys(self, symbol: str, timeframe: str) -> list[str]:
        """The objects of a symbol and timeframe, oldest month first."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=_prefix(symbol, timeframe)
        )
        return sorted(item["Key"] for page in pages for item in page.get("Contents", []))

    def _read(self, key: str, like: Candles) -> Candles | None:
        """A month's candles, or None."""
        try:
            body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            raise
        return from_parquet(body, like.symbol, like.timeframe)

    @staticmethod
    def _key(symbol: str, timeframe: str, month: str) -> str:
        return f"{_prefix(symbol, timeframe)}{month}.parquet"


def _prefix(symbol: str, timeframe: str) -> str:
    """What the keys of a symbol's months begin with."""
    return f"candles/{symbol}/{timeframe}/"


def _by_month(candles: Candles) -> Iterator[tuple[str, Candles]]:
    """The candles of each month by its name, such as 2024-05."""
    import numpy as np

    months = candles.time.astype("datetime64[s]").astype("datetime64[M]")
    edges = [0, *(np.flatnonzero(months[1:] != months[:-1]) + 1).tolist(), len(months)]
    for start, end in itertools.pairwise(edges):
        yield str(months[start]), candles.part(start, end)


def _merged(old: Candles | None, new: Candles) -> tuple[Candles, Stored]:
    """A month with new candles put into it."""
    import numpy as np

    if old is None:
        return new, Stored(created=len(new))
    rows = {t: i for i, t in enumerate(old.time.tolist())}
    known = [(i, rows[t]) for i, t in enumerate(new.time.tolist()) if t in rows]
    same = sum(
        all(getattr(new, name)[i] == getattr(old, name)[j] for name in COLUMNS) for i, j in known
    )
    kept = np.isin(old.time, new.time, invert=True)
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(old, name)[kept], getattr(new, name)]) for name in COLUMNS
    }
    order = np.argsort(columns["time"], kind="stable")
    columns = {name: column[order] for name, column in columns.items()}
    stored = Stored(len(new) - len(known), same, len(known) - same)
    return Candles(new.symbol, new.timeframe, **columns), stored


def _month_of(key: str) -> datetime:
    """When an object's month begins."""
    year, month = key.rpartition("/")[2].removesuffix(".parquet").split("-")
    return datetime(int(year), int(month), 1, tzinfo=UTC)


def _after(month: datetime) -> datetime:
    """When the month after one begins."""
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
