"""Wire models of the audit trail."""

from __future__ import annotations

from pydantic import Field

from trading.domain.audit import AuditEntry
from trading.schemas.base import UtcDatetime, Wire


class AuditEntryOut(Wire):
    """One request to write. ``status`` is null where it was begun and no answer is noted."""

    key_id: str = Field(description="Whose key; cli for the command-line tool.")
    key_generation: int = Field(description="Which of the key's secrets.")
    source: str = Field(description="The address that the gateway saw.")
    user_agent: str
    method: str
    path: str
    idempotency_key: str | None
    correlation_id: str
    asked_at: UtcDatetime
    answered_at: UtcDatetime | None
    status: int | None


def shown(entry: AuditEntry) -> AuditEntryOut:
    """Show an entry."""
    values = entry.model_dump(exclude={"request_id", "generation"})
    return AuditEntryOut(**values, key_generation=entry.generation)
