"""The `trading` command: everything that is done to the platform from a shell."""

from __future__ import annotations

from typing import Any

import httpx
import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.markup import escape
from typer.core import TyperGroup

from trading.domain.errors import TradingError
from trading_cli import backtest, candles_store, dlq, keys, ledger, strategy
from trading_cli.audit import audit
from trading_cli.demo import demo
from trading_cli.errors import UserError
from trading_cli.halt import halt, resume
from trading_cli.local import down, up
from trading_cli.output import errors
from trading_cli.parity import parity
from trading_cli.status import status

EXPECTED = (UserError, TradingError, BotoCoreError, ClientError, httpx.HTTPError)


class Commands(TyperGroup):
    """Commands whose expected failures are one message on stderr and exit code 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except EXPECTED as error:
            errors.print(f"[red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
            raise typer.Exit(1) from error


app = typer.Typer(
    cls=Commands,
    name="trading",
    help="Run, inspect and demonstrate the trading platform.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(up)
app.command()(down)
app.command()(status)
app.command()(audit)
app.command()(demo)
app.command()(parity)
app.command()(halt)
app.command()(resume)
app.add_typer(backtest.app, name="backtest")
app.add_typer(strategy.app, name="strategy")
app.add_typer(candles_store.app, name="candles")
app.add_typer(keys.app, name="keys")
app.add_typer(dlq.app, name="dlq")
app.add_typer(ledger.app, name="ledger")

if __name__ == "__main__":
    app()
