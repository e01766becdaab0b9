"""`trading ledger verify` finds every change of what is stored, and passes the truth."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from tests.support.floor import call, good, open_floor, place, set_price
from trading.domain.ledger import LedgerTransaction
from trading.domain.portfolio import Account
from trading.domain.position import Position
from trading_cli import ledger
from trading_cli.main import app

PK = "PORTFOLIO#main"


class Deployed:
    """A stack whose tables are those in memory."""

    target = type("Memory", (), {"client": staticmethod(boto3.client)})()

    @staticmethod
    def resource(logical_id: str) -> str:
        return logical_id


@pytest.fixture(autouse=True)
def floor(account: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "current_stack", lambda name: Deployed)
    open_floor(margin=True, cost_method="fifo")
    place("10")
    set_price("110")
    place("4", "sell")
    place("20", "sell")
    move(type="dividend", symbol="ACME", per_unit="0.5")
    move(type="split", symbol="ACME", split_to=3, split_from=2)
    place("2")


def move(**body: Any) -> None:
    body = {"currency": "USD", **body}
    assert call("POST", "/portfolio/main/holdings/update", body, key=body["type"]).status == 200


def verify(*arguments: str) -> tuple[int, str]:
    shown = CliRunner().invoke(app, ["ledger", "verify", *arguments], env={"COLUMNS": "200"})
    return shown.exit_code, " ".join(shown.output.split())


def table() -> Any:
    return boto3.resource("dynamodb").Table("PortfolioTable")


def tamper(sk: str, change: Mapping[str, Any]) -> None:
    item = table().get_item(Key={"pk": PK, "sk": sk})["Item"]
    table().put_item(Item=item | change)


def test_true_books_of_every_kind_of_transaction_pass() -> None:
    code, shown = verify()
    assert (code, shown) == (0, "Checked 7 transactions of 1 portfolio: 0 differences.")
    assert verify("main")[0] == 0


def test_a_portfolio_that_does_not_exist_is_one_sentence() -> None:
    code, shown = verify("nobody")
    assert code == 1
    assert "There is no portfolio 'nobody'" in shown


FORGERIES: dict[str, Any] = {
    "portfolio_id": "other",
    "sequence": 9,
    "kind": "correction",
    "cause": "another",
    "time": "2001-01-01T00:00:00.000000Z",
    "recorded_at": "2001-01-01T00:00:00.000000Z",
    "entries": [
        {"account": "cash", "commodity": "USD", "amount": Decimal(1)},
        {"account": "capital", "commodity": "USD", "amount": Decimal(-1)},
    ],
    "symbol": "OTHER",
    "currency": "EUR",
    "note": "x",
    "correlation_id": "y",
    "previous_hash": "1" * 64,
    "hash": "2" * 64,
}


@pytest.mark.parametrize("field", LedgerTransaction.model_fields)
@pytest.mark.parametrize("sequence", [1, 7])
def test_a_change_of_any_field_of_a_transaction_is_found(field: str, sequence: int) -> None:
    tamper(f"LEDGER#{sequence:012d}", {field: FORGERIES[field]})
    code, shown = verify()
    assert code == 1
    assert "main" in shown
    answer = good("GET", "/portfolio/main/ledger")["verification"]
    assert not answer["ok"]
    assert answer["problem"]


def test_a_transaction_that_was_removed_is_found() -> None:
    for sequence in (7, 3, 1):
        table().delete_item(Key={"pk": PK, "sk": f"LEDGER#{sequence:012d}"})
        assert verify()[0] == 1
        assert not good("GET", "/portfolio/main/ledger")["verification"]["ok"]


@pytest.mark.parametrize(
    "change",
    [
        {"cash": {"USD": Decimal(1_000_000)}},
        {"capital": {"USD": Decimal(1)}},
        {"income": {}},
        {"ledger_hash": "0" * 64},
        {"ledger_sequence": Decimal(8)},
        {"cost_method": "average"},
    ],
    ids=str,
)
def test_a_changed_account_is_found(change: dict[str, Any]) -> None:
    assert set(change) <= set(Account.model_fields)
    tamper("ACCOUNT", change)
    assert verify()[0] == 1


@pytest.mark.parametrize(
    "change",
    [
        *({name: Decimal(77)} for name in ("quantity", "cost_basis", "realized_pnl")),
        *({name: Decimal(77)} for name in ("fees", "income")),
        {"lots": [{"quantity": Decimal(-19), "cost": Decimal(-1)}]},
    ],
    ids=str,
)
def test_a_changed_position_is_found(change: dict[str, Any]) -> None:
    assert set(change) <= set(Position.model_fields)
    tamper("POSITION#ACME", change)
    assert verify()[0] == 1


def test_what_cannot_be_read_is_a_difference_and_no_traceback() -> None:
    tamper("LEDGER#000000000002", {"entries": "none"})
    code, shown = verify()
    assert code == 1
    assert "unreadable" in shown
