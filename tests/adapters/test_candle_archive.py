"""Bulk candles in a bucket: by month, merged by time, the same however often they are put."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import numpy as np
import pytest
from moto import mock_aws

from trading.adapters.candle_parquet import from_parquet, to_parquet
from trading.adapters.s3.candle_archive import CandleArchive, Stored
from trading.domain.errors import InvalidInput
from trading.quant.strategies.candles import COLUMNS, Candles

HOUR = 3600.0
START = datetime(2024, 1, 30, tzinfo=UTC)


def hours(count: int, start: datetime = START) -> Candles:
    time = start.timestamp() + np.arange(count) * HOUR
    close = 100 + np.arange(count) * 0.01
    return Candles("BTC", "1h", time, close, close + 1, close - 1, close, np.full(count, 5.5))


def equal(one: Candles, other: Candles) -> bool:
    return all(np.array_equal(getattr(one, n), getattr(other, n)) for n in COLUMNS)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="archive")
        yield client


def test_candles_come_back_exactly_and_lie_by_month(bucket: Any) -> None:
    archive = CandleArchive(bucket, "archive")
    assert archive.put(hours(100)) == Stored(created=100)
    keys = [item["Key"] for item in bucket.list_objects_v2(Bucket="archive")["Contents"]]
    assert keys == ["candles/BTC/1h/2024-01.parquet", "candles/BTC/1h/2024-02.parquet"]
    found = archive.get("BTC", "1h")
    assert found is not None
    assert equal(found, hours(100))


def test_repeating_changes_nothing_and_other_values_replace(bucket: Any) -> None:
    archive = CandleArchive(bucket, "archive")
    archive.put(hours(100))
    assert archive.put(hours(100)) == Stored(unchanged=100)
    changed = hours(120)
    changed.close[7] += 0.5
    assert archive.put(changed) == Stored(created=20, unchanged=99, replaced=1)
    found = archive.get("BTC", "1h")
    assert found is not None
    assert equal(found, changed)


def test_a_stretch_is_cut_at_both_ends(bucket: Any) -> None:
    archive = CandleArchive(bucket, "archive")
    archive.put(hours(100))
    start, end = datetime(2024, 1, 31, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC)
    found = archive.get("BTC", "1h", start, end)
    assert found is not None
    assert len(found) == 24
    assert archive.get("BTC", "1h", datetime(2025, 1, 1, tzinfo=UTC)) is None
    assert archive.get("ETH", "1h") is None


def test_a_file_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no Parquet file"):
        from_parquet(b"not a file", "BTC", "1h")
    assert equal(from_parquet(to_parquet(hours(3)), "BTC", "1h"), hours(3))
    assert to_parquet(hours(3)) == to_parquet(replace(hours(3)))
