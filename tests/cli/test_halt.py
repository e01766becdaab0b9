"""`trading halt` and `trading resume` work on the tables alone."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from tests.support.aws import RESOURCES
from tests.support.floor import books, good, open_floor, place
from trading_cli import halt
from trading_cli.main import app
from trading_cli.stack import Stack
from trading_cli.target import Target

TABLES = {name: name for name, r in RESOURCES.items() if r["Type"] == "AWS::DynamoDB::Table"}


@pytest.fixture(autouse=True)
def stack(account: None, environment: pytest.MonkeyPatch) -> None:
    open_floor()
    deployed = Stack(target=Target(), name="trading", outputs={}, resources=TABLES)
    environment.setattr(halt, "current_stack", lambda _name: deployed)


def test_halting_cancels_what_rests_and_resuming_lets_trade_again() -> None:
    order = place("5", type="limit", limit_price="90").json["id"]
    shown = CliRunner().invoke(app, ["halt", "main", "--reason", "news"])
    assert (shown.exit_code, "1 orders cancelled" in shown.output) == (0, True)
    assert good("GET", f"/orders/{order}")["execution_status"] == "cancelled"
    state = books()["account"]
    assert (state.trading_state, state.trading_state_reason) == ("halted", "news")
    assert CliRunner().invoke(app, ["resume", "main"]).exit_code == 0
    assert books()["account"].trading_state == "active"


def test_reducing_may_leave_the_orders_where_they_are() -> None:
    order = place("5", type="limit", limit_price="90").json["id"]
    words = ["halt", "main", "--reason", "news", "--reducing", "--keep-orders"]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert books()["account"].trading_state == "reducing"
    assert good("GET", f"/orders/{order}")["execution_status"] == "accepted"


def test_an_unknown_portfolio_is_told_in_one_line() -> None:
    shown = CliRunner().invoke(app, ["halt", "nobody", "--reason", "news"])
    assert shown.exit_code == 1
    assert "there is no portfolio 'nobody'" in shown.output
