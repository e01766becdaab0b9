"""The audit trail: who asked for which write, when and from where, and what was answered."""

from __future__ import annotations

from datetime import datetime

from trading.domain.value import Value

TOOL = "cli"
"""Stands for the command-line tool where it writes without a key, by the account's own rights."""


class AuditEntry(Value):
    """One request to write.

    It is noted before anything is done, and its answer after: one without ``status`` was begun,
    and what became of it is in the books and the log, under ``correlation_id``.
    ``generation`` tells which of a key's secrets was used, ``source`` is the address that the
    gateway saw.
    """

    request_id: str
    key_id: str
    generation: int
    source: str
    user_agent: str
    method: str
    path: str
    idempotency_key: str | None
    correlation_id: str
    asked_at: datetime
    status: int | None = None
    answered_at: datetime | None = None
