"""The stored form of a verdict: every rule's result, packed into a fraction of its size.

A verdict has a sentence for every rule, and a recommendation carries it through each of its
writes and into its indexes. DynamoDB bills by the kilobyte, so that the results are kept as one
compressed text, which nothing ever has to look into without reading it whole.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from trading.domain.money import plain
from trading.domain.risk.result import RuleResult


def pack(results: Sequence[RuleResult]) -> bytes:
    """The results as compressed JSON: one array per result, amounts as text."""
    rows = [[r.rule, r.passed, _text(r.value), _text(r.limit), r.message] for r in results]
    return zlib.compress(json.dumps(rows, separators=(",", ":")).encode(), level=9)


def unpack(packed: bytes) -> list[dict[str, Any]]:
    """The results as they are validated when a model is read back."""
    return [
        {
            "rule": rule,
            "passed": passed,
            "value": _amount(value),
            "limit": _amount(limit),
            "message": message,
        }
        for rule, passed, value, limit, message in json.loads(zlib.decompress(packed))
    ]


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
