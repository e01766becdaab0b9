"""Reads prices from the stream of the market table's changes."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from trading.adapters.dynamodb import keys
from trading.adapters.dynamodb.codec import decode, from_attributes
from trading.domain.candle import Price

logger = logging.getLogger(__name__)


def read_prices(records: Sequence[Mapping[str, Any]]) -> tuple[list[Price], int]:
    """The prices among a batch of stream records, in order of time, and how many were unreadable.

    Other items' changes and removals are passed over. One that cannot be read is logged and left
    out: the stream would hand it out again and again, ahead of all that follows it.
    """
    prices, unreadable = [], 0
    for record in records:
        try:
            change = record["dynamodb"]
            image = change.get("NewImage")
            if change["Keys"]["pk"] != {"S": keys.PRICES} or image is None:
                continue
            prices.append(decode(Price, from_attributes(image)))
        except (KeyError, TypeError, AttributeError, ValidationError):
            unreadable += 1
            logger.exception("a price in the stream cannot be read")
    return sorted(prices, key=lambda price: price.time), unreadable
