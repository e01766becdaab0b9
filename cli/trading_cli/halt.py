"""`trading halt` and `trading resume`: the kill switch, straight on the tables.

It works when the API and everything behind it is down: only DynamoDB has to answer.
"""

from __future__ import annotations

from typing import Annotated

import typer

from trading.adapters.dynamodb.store import Store
from trading.desk import LiveDesk
from trading.domain.portfolio import TradingState
from trading.settings import Settings
from trading.usecases.halt import halt as halt_trading
from trading.usecases.halt import resume as resume_trading
from trading_cli.audit import audited
from trading_cli.errors import UserError
from trading_cli.local import StackName, current_stack
from trading_cli.output import console
from trading_cli.stack import Stack

TABLES = {
    "PORTFOLIO_TABLE": "PortfolioTable",
    "ORDERS_TABLE": "OrdersTable",
    "RISK_TABLE": "RiskTable",
    "MARKET_TABLE": "MarketTable",
    "RECOMMENDATIONS_TABLE": "RecommendationsTable",
}
PortfolioName = Annotated[str, typer.Argument(metavar="PORTFOLIO", help="The portfolio's id.")]


def desk_of(stack: Stack) -> LiveDesk:
    """A desk on a stack's own tables."""
    names = {variable: stack.resource(table) for variable, table in TABLES.items()}
    return LiveDesk(Store(stack.target.client("dynamodb")), Settings(names))


def halt(
    portfolio: PortfolioName,
    reason: Annotated[str, typer.Option(help="Why trading stops; kept with the portfolio.")],
    reducing: Annotated[
        bool, typer.Option("--reducing", help="Let orders through that only cut risk.")
    ] = False,
    keep_orders: Annotated[
        bool, typer.Option("--keep-orders", help="Leave the resting orders where they are.")
    ] = False,
    stack_name: StackName = None,
) -> None:
    """Stop a portfolio's trading at once and cancel its resting orders."""
    state = TradingState.REDUCING if reducing else TradingState.HALTED
    stack = current_stack(stack_name)
    with audited(stack, f"halt {portfolio} ({state.value})", must=False):
        account, cancelled = halt_trading(
            desk_of(stack), portfolio, state, reason, cancel=not keep_orders
        )
    console.print(
        f"{portfolio} is {account.trading_state}: {len(cancelled.done)} orders cancelled,"
        f" {account.open_orders} still rest."
    )
    if cancelled.failed:
        listed = "; ".join(f"{order}: {why}" for order, why in cancelled.failed.items())
        raise UserError(f"Not every order could be cancelled, run it again. {listed}")


def resume(
    portfolio: PortfolioName,
    rebase: Annotated[
        bool, typer.Option("--rebase", help="Measure losses from the present equity on.")
    ] = False,
    stack_name: StackName = None,
) -> None:
    """Let a portfolio trade again; one whose losses are over its limits trips again."""
    stack = current_stack(stack_name)
    with audited(stack, f"resume {portfolio}{' --rebase' if rebase else ''}"):
        account = resume_trading(desk_of(stack), portfolio, rebase=rebase)
    console.print(f"{portfolio} is {account.trading_state}.")
