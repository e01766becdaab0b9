"""The routes of ``/keys``; every one needs the scope ``keys:admin``."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import Query, Request, Response

from trading import bootstrap
from trading.api.app import new_router
from trading.api.idempotency import IdempotencyKey, OptionalIdempotencyKey, replayable
from trading.api.listing import DEFAULT_LIMIT, Cursor, Limit, across, page_of
from trading.api.security import CallerDep, requires
from trading.auth.issue import issue, rotate
from trading.auth.scopes import KEYS_ADMIN
from trading.domain.audit import TOOL
from trading.schemas.audit import AuditEntryOut, shown
from trading.schemas.base import Page, UtcDatetime, decode_cursor, encode_cursor
from trading.schemas.keys import IssuedKey, KeyRequest, KeyView, RotateRequest, issued, view

router = new_router(dependencies=[requires(KEYS_ADMIN)])


@router.post("/keys", status_code=201, response_model=IssuedKey)
def create_key(
    body: KeyRequest, caller: CallerDep, request: Request, key: IdempotencyKey
) -> Response:
    """Create a key and show it this once; a repeat with the same body answers ``key: null``."""

    def create() -> tuple[int, IssuedKey]:
        record, text = issue(
            body.name, body.scopes, bootstrap.wall_clock(), body.portfolios, body.expires_at
        )
        bootstrap.api_keys().add(record)
        return 201, issued(record, text)

    return replayable(caller, request, key, body, create, IssuedKey.without_secret)


@router.get("/keys")
def list_keys(
    limit: Annotated[int, Query(ge=1, le=100)] = 50, cursor: str | None = None
) -> Page[KeyView]:
    """List keys, newest first, revoked ones too; secrets and their hashes are never shown."""
    before = decode_cursor(cursor) if cursor is not None else None
    found = bootstrap.api_keys().newest(limit + 1, before)
    more = len(found) > limit
    shown = [view(key) for key in found[:limit]]
    return Page(items=shown, cursor=encode_cursor(shown[-1].id) if more else None)


@router.get("/keys/audit")
def list_audit(
    key_id: Annotated[str | None, Query(max_length=64, description="Only this key's.")] = None,
    start: Annotated[UtcDatetime | None, Query(description="At or after.")] = None,
    end: Annotated[UtcDatetime | None, Query(description="Before.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[AuditEntryOut]:
    """List requests to write, newest first: who, what, when, from where, and the answer."""
    trail = bootstrap.audit_trail()
    wanted = [key_id] if key_id is not None else [*bootstrap.api_keys().ids(), TOOL]
    read = across(wanted, lambda who, most, before: trail.newest(who, most, before, start, end))
    found, following = page_of(read, limit, cursor)
    return Page(items=[shown(entry) for entry in found], cursor=following)


@router.post("/keys/{id}/rotate", response_model=IssuedKey)
def rotate_key(
    id: str,  # noqa: A002 the name in the route
    body: RotateRequest,
    caller: CallerDep,
    request: Request,
    key: OptionalIdempotencyKey = None,
) -> Response:
    """Give a key a new secret and show it this once; the old one stays valid for the overlap."""

    def change() -> tuple[int, IssuedKey]:
        before = bootstrap.api_keys().get(id)
        overlap = timedelta(seconds=body.overlap_seconds)
        after, text = rotate(before, overlap, bootstrap.wall_clock())
        bootstrap.api_keys().replace(before, after)
        return 200, issued(after, text)

    return replayable(caller, request, key, body, change, IssuedKey.without_secret)


@router.delete("/keys/{id}", status_code=204)
def revoke_key(id: str) -> Response:  # noqa: A002 the name in the route
    """Revoke a key for good. It stays listed; revoking it again changes nothing."""
    bootstrap.api_keys().revoke(id, bootstrap.wall_clock())
    return Response(status_code=204)
