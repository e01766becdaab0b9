"""Counters that move in the same transaction as what they count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trading.adapters.dynamodb import keys, store
from trading.adapters.dynamodb.store import Store, Write

_KEY_ATTRIBUTES = ("pk", "sk")


def counter(table: str, name: str, moves: Mapping[str, int]) -> Write:
    """Move the counters of one ``STATS`` item, by state."""
    moved = {state: step for state, step in moves.items() if step}
    names = {f"#c{i}": state for i, state in enumerate(moved)}
    values: dict[str, Any] = {f":c{i}": step for i, step in enumerate(moved.values())}
    expression = "ADD " + ", ".join(f"#c{i} :c{i}" for i in range(len(moved)))
    return store.update("counters", table, keys.stats(name), expression, values, names=names)


def read_counters(source: Store, table: str) -> dict[str, dict[str, int]]:
    """All counters of a table: by name, then by state."""
    return {
        item["sk"]: {k: int(v) for k, v in item.items() if k not in _KEY_ATTRIBUTES}
        for item in source.query(table, keys.STATS)
    }
