"""API keys in DynamoDB.

Only standard-library modules are imported for ``from_item``, which the authorizer uses without
a ``Store``; the rest of the imports are made by those who hand in one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from trading.adapters.dynamodb import keys
from trading.domain.api_key import ApiKey
from trading.domain.errors import ConcurrentUpdate, NotFound
from trading.domain.time import from_text, to_text

if TYPE_CHECKING:
    from trading.adapters.dynamodb.store import Store

_TIMES = {
    "created_at",
    "expires_at",
    "revoked_at",
    "rotated_at",
    "previous_until",
    "last_used_at",
}
_LISTS = {"scopes", "portfolios"}


def to_item(key: ApiKey) -> dict[str, Any]:
    """Return a key's stored form."""
    values = {f.name: getattr(key, f.name) for f in fields(key)}
    item = {name: _plain(value) for name, value in values.items() if value is not None}
    return {**keys.api_key(key.id), **item}


def from_item(item: Mapping[str, Any]) -> ApiKey:
    """Read a key's stored form."""
    values = {f.name: item[f.name] for f in fields(ApiKey) if f.name in item}
    for name in _TIMES & values.keys():
        values[name] = from_text(values[name])
    for name in _LISTS & values.keys():
        values[name] = tuple(values[name])
    values["generation"] = int(values["generation"])
    values.setdefault("portfolios", None)
    return ApiKey(**values)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return to_text(value)
    return list(value) if isinstance(value, tuple) else value


class ApiKeys:
    """The table of API keys. Its ids sort by time, so that lists come newest first."""

    def __init__(self, store: Store, table: str) -> None:
        self._store = store
        self._table = table

    def add(self, key: ApiKey) -> None:
        """Write a new key."""
        self._store.put_item(self._table, to_item(key), "attribute_not_exists(pk)")

    def get(self, key_id: str) -> ApiKey:
        """Read a key. Raises NotFound."""
        item = self._store.get(self._table, keys.api_key(key_id))
        if item is None:
            raise NotFound("key", key_id)
        return from_item(item)

    def replace(self, before: ApiKey, after: ApiKey) -> None:
        """Write a changed key. Raises ConcurrentUpdate if it is no longer as it was read."""
        from trading.adapters.dynamodb.store import ConditionFailed

        condition = "generation = :g AND attribute_not_exists(revoked_at)"
        try:
            self._store.put_item(self._table, to_item(after), condition, {":g": before.generation})
        except ConditionFailed as error:
            raise ConcurrentUpdate(f"the key '{before.id}' has just been changed") from error

    def revoke(self, key_id: str, now: datetime) -> None:
        """Revoke a key for good; a second time changes nothing. Raises NotFound."""
        from trading.adapters.dynamodb.store import ConditionFailed

        try:
            self._store.update_item(
                self._table,
                keys.api_key(key_id),
                "SET revoked_at = if_not_exists(revoked_at, :now)",
                {":now": to_text(now)},
                "attribute_exists(pk)",
            )
        except ConditionFailed as error:
            raise NotFound("key", key_id) from error

    def newest(self, limit: int, before: str | None = None) -> list[ApiKey]:
        """List keys, newest first, older than the id ``before``."""
        items = self._store.query(
            self._table, keys.API_KEYS, before=before, limit=limit, newest_first=True
        )
        return [from_item(item) for item in items]

    def ids(self) -> list[str]:
        """The ids of all keys, revoked ones too."""
        return [item["id"] for item in self._store.query(self._table, keys.API_KEYS)]

    def reachable(self) -> bool:
        """Tell whether the table answers."""
        return self._store.reachable(self._table)
