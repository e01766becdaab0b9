"""What backtests and sweeps leave behind, in a bucket of its own.

results/<key>/<file>              a run's files, by all that decided it
markets/<data hash>.npz           a sweep's candles, as one object for every chunk to read
trials/<family>/<chunk>.npz       computed trials, of any sweep of that family
sweeps/<id>/<attempt>-*.json      what an attempt is to do: combinations, chunks
sweeps/<id>/ranking.json          what came of it
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from trading.domain.errors import Unavailable
from trading.quant.search.sweep import Trial
from trading.quant.search.trials import pack, unpack
from trading.quant.simulation.market import Market
from trading.quant.strategies.candles import COLUMNS, Candles

LINK_SECONDS = 900
"""How long a link to a file is good."""
_READERS = 16


class ResearchBucket:
    """A bucket of results; ``client`` is boto3's for S3. Every write may be repeated."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self.name = bucket

    def reachable(self) -> bool:
        """Tell whether the bucket answers."""
        try:
            self._client.list_objects_v2(Bucket=self.name, MaxKeys=1)
        except (BotoCoreError, ClientError):
            return False
        return True

    def put_result(self, key: str, files: Mapping[str, bytes]) -> None:
        """Keep a run's files; ``statistics.json`` last, so that where it is, all are."""
        for name in sorted(files, key=lambda n: n == "statistics.json"):
            self.put_file(f"results/{key}/{name}", files[name])

    def statistics(self, key: str) -> dict[str, Any] | None:
        """A stored run's statistics, or None where there is no such result."""
        content = self._get(f"results/{key}/statistics.json")
        return None if content is None else json.loads(content)

    def links(self, key: str) -> dict[str, str]:
        """Addresses from which a run's files can be read for a while, by file name."""
        prefix = f"results/{key}/"
        return {each.removeprefix(prefix): self.link(each) for each in self._keys(prefix)}

    def put_market(self, market: Market) -> None:
        """Keep a sweep's candles under their hash."""
        import numpy as np

        file = BytesIO()
        columns = {
            f"{symbol}|{name}": getattr(candles, name)
            for symbol, candles in market.candles.items()
            for name in COLUMNS
        }
        np.savez_compressed(file, **columns)
        self.put_file(f"markets/{market.data_hash}.npz", file.getvalue())

    def market(self, data_hash: str, timeframe: str) -> Market:
        """Read a sweep's candles back. Raises Unavailable where they are gone."""
        import numpy as np

        content = self._get(f"markets/{data_hash}.npz")
        if content is None:
            raise Unavailable("the sweep's candles are gone; resume the sweep")
        with np.load(BytesIO(content), allow_pickle=False) as kept:
            symbols = dict.fromkeys(name.partition("|")[0] for name in kept.files)
            return Market.of(
                [
                    Candles(symbol, timeframe, **{n: kept[f"{symbol}|{n}"] for n in COLUMNS})
                    for symbol in symbols
                ]
            )

    def put_trials(self, family: str, chunk: str, trials: list[Trial]) -> None:
        """Keep the trials that one chunk computed."""
        self.put_file(f"trials/{family}/{chunk}.npz", pack(trials))

    def trials(self, family: str) -> Iterator[Trial]:
        """Every trial of a family that any sweep computed, failed ones too."""
        keys = self._keys(f"trials/{family}/")
        with ThreadPoolExecutor(_READERS) as readers:
            for content in readers.map(self._get, keys):
                if content is not None:
                    yield from unpack(content)

    def put_document(self, key: str, document: Any) -> None:
        """Keep a JSON document."""
        self.put_file(key, json.dumps(document, separators=(",", ":")).encode())

    def document(self, key: str) -> Any:
        """Read a JSON document, or None."""
        content = self._get(key)
        return None if content is None else json.loads(content)

    def put_file(self, key: str, content: bytes) -> None:
        """Keep a file."""
        with _translated():
            self._client.put_object(Bucket=self.name, Key=key, Body=content)

    def link(self, key: str) -> str:
        """An address from which an object can be read for a while."""
        with _translated():
            address: str = self._client.generate_presigned_url(
                "get_object",
                Params={"Bucket": self.name, "Key": key},
                ExpiresIn=LINK_SECONDS,
            )
        return address

    def _get(self, key: str) -> bytes | None:
        with _translated():
            try:
                body: bytes = self._client.get_object(Bucket=self.name, Key=key)["Body"].read()
            except ClientError as error:
                if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                    return None
                raise
        return body

    def _keys(self, prefix: str) -> list[str]:
        with _translated():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.name, Prefix=prefix
            )
            return [item["Key"] for page in pages for item in page.get("Contents", [])]


@contextmanager
def _translated() -> Iterator[None]:
    """Turn botocore's errors into the platform's own."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise Unavailable(f"the bucket of results refused the call: {code}") from error
    except BotoCoreError as error:
        raise Unavailable("the bucket of results does not answer") from error
