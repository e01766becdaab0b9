"""Wire models of the audit trail."""

from __future__ import annotations

from pydantic import Field

from trading.domain.audit import AuditEntry
from trading.schemas.base import UtcDatetime, Wire


class AuditEntryOut(Wire):
    """One request to write. ``status`` is null where it was begun and no answer is noted."""

    key_id: str = Field(description="Whose key; cli for the command-line tool.")
    key_generation: int = Field(description="Which of the key's secrets.")
    source: str = Field(
        description="The address that the gateway saw; of the tool, its identity in AWS."
    )
    user_agent: str
    method: str = Field(description="Of the request; RUN for a command of the tool.")
    path: str
    idempotency_key: str | None
    correlation_id: str
    asked_at: UtcDatetime
    answered_at: UtcDatetime | None
    status: int | None = Field(description="200 or 500 for a command: done, or failed.")


def shown(entry: AuditEntry) -> AuditEntryOut:
    """Show an entry."""
    values = entry.model_dump(exclude={"request_id", "generation"})
    return AuditEntryOut(**values, key_generation=entry.generation)
