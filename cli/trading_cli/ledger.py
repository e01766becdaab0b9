"""`trading ledger`: whether the books are those that the ledger tells of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from pydantic import ValidationError

from trading.adapters.dynamodb.portfolios import PortfolioRepository
from trading.adapters.dynamodb.store import Store
from trading.domain.ledger import BrokenLedger
from trading.domain.portfolio import Portfolio
from trading.usecases.reconcile import Difference, Report, compare_with_ledger
from trading_cli.errors import UserError
from trading_cli.local import StackName, current_stack
from trading_cli.output import console, table

app = typer.Typer(help="Check the ledgers.", no_args_is_help=True)
Portfolios = Annotated[list[str] | None, typer.Argument(help="Portfolios to check. [default: all]")]


@app.callback()
def ledger() -> None:
    """Check the ledgers."""


@app.command()
def verify(portfolios: Portfolios = None, stack_name: StackName = None) -> None:
    """Check each ledger's chain, work the books out from it, and compare them with the stored ones.

    Reads the tables alone and changes nothing; exit code 1 on any difference. A portfolio that
    trades meanwhile is read again before anything is said against it.
    """
    stack = current_stack(stack_name)
    store = Store(stack.target.client("dynamodb"))
    source = PortfolioRepository(store, stack.resource("PortfolioTable"))
    report = verify_all(source, portfolios or source.ids())
    checked = len(portfolios or source.ids())
    if report.differences:
        table(
            "What the books say and the ledger does not",
            ("portfolio", "what", "stored", "by the ledger"),
            ((d.portfolio_id, d.what, d.stored, d.derived) for d in report.differences),
        )
    console.print(
        f"Checked {report.transactions} transactions of {checked}"
        f" portfolio{'' if checked == 1 else 's'}: {len(report.differences)} differences."
    )
    if report.differences:
        raise typer.Exit(1)


def verify_all(source: PortfolioRepository, portfolio_ids: Sequence[str]) -> Report:
    """Check portfolios one by one. Raises UserError for one that does not exist."""
    report = Report()
    for portfolio_id in portfolio_ids:
        found, count = _verify_one(source, portfolio_id)
        report.transactions += count
        report.differences += found
    return report


def _verify_one(source: PortfolioRepository, portfolio_id: str) -> tuple[list[Difference], int]:
    """What differs in one portfolio, and how many transactions it has.

    Account, positions and ledger are three reads; where the account moved meanwhile, they are
    made again.
    """
    while True:
        account = source.find(portfolio_id)
        if account is None:
            raise UserError(f"There is no portfolio '{portfolio_id}'.")
        try:
            positions = source.positions(portfolio_id)
            ledger = source.ledger(portfolio_id)
        except (ValidationError, BrokenLedger) as error:
            unreadable = Difference(portfolio_id, "ledger", "unreadable", str(error))
            return [unreadable], 0
        found = compare_with_ledger(Portfolio(account=account, positions=positions), ledger)
        if not found or source.find(portfolio_id) == account:
            return found, len(ledger)
