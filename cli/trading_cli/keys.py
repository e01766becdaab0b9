"""`trading keys`: API keys, made and changed in the table itself, so that a first one can exist."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from trading.adapters.dynamodb.api_keys import ApiKeys
from trading.adapters.dynamodb.store import Store
from trading.auth.issue import issue
from trading.auth.issue import rotate as new_secret
from trading.auth.scopes import SCOPES
from trading.domain.api_key import ApiKey
from trading_cli.audit import audited
from trading_cli.local import StackName, current_stack
from trading_cli.output import console, table
from trading_cli.stack import Stack

app = typer.Typer(help="Create, list, rotate and revoke API keys.", no_args_is_help=True)
KeyId = Annotated[str, typer.Argument(help="The key's id, the middle part of tk_<id>_<secret>.")]


def create_key(
    stack: Stack,
    name: str,
    scopes: Sequence[str] = (),
    portfolios: Sequence[str] = (),
    expires_at: datetime | None = None,
) -> str:
    """Make a key (every scope and portfolio unless some are named) and return its text.

    Raises InvalidInput for an unknown scope.
    """
    record, text = issue(
        name, scopes or sorted(SCOPES), datetime.now(UTC), portfolios or None, expires_at
    )
    with audited(stack, f"keys create {record.id}"):
        _keys_of(stack).add(record)
    return text


@app.command()
def create(
    name: Annotated[str, typer.Option(help="What the key is for.")] = "operator",
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="A right such as market:read; repeat it. [default: all]", show_default=False
        ),
    ] = None,
    portfolio: Annotated[
        list[str] | None,
        typer.Option(help="A portfolio to bind the key to; repeat it.", show_default=False),
    ] = None,
    expires_days: Annotated[
        int | None, typer.Option(min=1, help="Days until it expires.", show_default=False)
    ] = None,
    stack_name: StackName = None,
) -> None:
    """Create a key and print it, this once; only a hash of it is kept."""
    ends = datetime.now(UTC) + timedelta(days=expires_days) if expires_days else None
    typer.echo(create_key(current_stack(stack_name), name, scope or (), portfolio or (), ends))


@app.command("list")
def list_keys(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 50,
    stack_name: StackName = None,
) -> None:
    """List keys, newest first; secrets are nowhere to be shown from."""
    found = _keys_of(current_stack(stack_name)).newest(limit)
    now = datetime.now(UTC)
    table(
        "API keys",
        ("id", "name", "state", "scopes", "portfolios", "created", "last used"),
        (
            (
                key.id,
                key.name,
                _state(key, now),
                "all" if set(key.scopes) == SCOPES else ", ".join(key.scopes),
                ", ".join(key.portfolios or ("all",)),
                f"{key.created_at:%Y-%m-%d %H:%M}",
                f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never",
            )
            for key in found
        ),
    )


@app.command()
def rotate(
    key_id: KeyId,
    overlap: Annotated[
        int, typer.Option(min=0, max=604800, help="Seconds that the old secret stays valid.")
    ] = 3600,
    stack_name: StackName = None,
) -> None:
    """Give a key a new secret and print the key, this once."""
    stack = current_stack(stack_name)
    keys = _keys_of(stack)
    with audited(stack, f"keys rotate {key_id}"):
        before = keys.get(key_id)
        after, text = new_secret(before, timedelta(seconds=overlap), datetime.now(UTC))
        keys.replace(before, after)
    typer.echo(text)


@app.command()
def revoke(key_id: KeyId, stack_name: StackName = None) -> None:
    """Revoke a key for good; the gateway may know it for another 60 seconds."""
    stack = current_stack(stack_name)
    with audited(stack, f"keys revoke {key_id}"):
        _keys_of(stack).revoke(key_id, datetime.now(UTC))
    console.print(f"Revoked {key_id}.")


def _keys_of(stack: Stack) -> ApiKeys:
    """Return a stack's table of keys."""
    return ApiKeys(Store(stack.target.client("dynamodb")), stack.resource("KeysTable"))


def _state(key: ApiKey, now: datetime) -> str:
    """Say whether a key is good."""
    if key.revoked_at:
        return "revoked"
    return "good" if key.usable(now) else "expired"
