"""The audit trail in DynamoDB: one partition per key, two items per request, none ever changed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby

from trading.adapters.dynamodb import keys
from trading.adapters.dynamodb.codec import Item, decode, encode
from trading.adapters.dynamodb.store import ConditionFailed, Range, Store
from trading.domain.audit import AuditEntry
from trading.domain.time import to_text

_NEW = "attribute_not_exists(pk)"
_ANSWER = ("status", "answered_at")


class AuditTrail:
    """The audit table. Functions may put items there and nothing else; a put never overwrites."""

    def __init__(self, store: Store, table: str) -> None:
        self._store = store
        self._table = table

    def asked(self, entry: AuditEntry) -> None:
        """Note a request before it is acted on. Raises Unavailable."""
        self._put(encode(entry) | keys.audit_asked(entry.key_id, _place(entry)))

    def answered(self, entry: AuditEntry) -> None:
        """Note what a request was answered. Raises Unavailable."""
        answer = {name: value for name, value in encode(entry).items() if name in _ANSWER}
        self._put(answer | keys.audit_answered(entry.key_id, _place(entry)))

    def newest(
        self,
        key_id: str,
        limit: int,
        before: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> list[tuple[str, AuditEntry]]:
        """A key's requests, newest first, each with its place in the list.

        Asked at ``start`` or later, and before ``end``.
        """
        items = self._store.query(
            self._table,
            keys.audit_of(key_id),
            Range(start=to_text(start) if start else None, end=to_text(end) if end else None),
            before=before,
            # Two items a request; the last may have only one of its two among them.
            limit=2 * limit + 1,
            newest_first=True,
        )
        found = []
        for place, both in groupby(items, lambda item: str(item["sk"]).rpartition("#")[0]):
            whole = _merged(both)
            if "request_id" in whole:
                found.append((place, decode(AuditEntry, whole)))
        return found[:limit]

    def _put(self, item: Item) -> None:
        """Append; what Lambda or the client's own retry has appended before stays as it is."""
        try:
            self._store.put_item(self._table, item, _NEW)
        except ConditionFailed:
            return


def _place(entry: AuditEntry) -> str:
    return keys.timed(entry.asked_at, entry.request_id)


def _merged(items: Iterable[Item]) -> Item:
    """A request and its answer as one."""
    whole: Item = {}
    for item in items:
        whole |= {name: value for name, value in item.items() if name not in ("pk", "sk")}
    return whole
