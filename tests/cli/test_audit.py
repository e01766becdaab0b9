"""What the tool writes past the API is in the audit trail, and `trading audit` shows all of it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import boto3
import pytest
from typer.testing import CliRunner

from tests.support.aws import RESOURCES
from tests.support.floor import books, good, open_floor
from trading_cli import audit, candles_store, dlq, halt, keys
from trading_cli.audit import trail_of
from trading_cli.main import app
from trading_cli.stack import Stack
from trading_cli.target import Target

TABLES = {name: name for name, r in RESOURCES.items() if r["Type"] == "AWS::DynamoDB::Table"}


@pytest.fixture(autouse=True)
def stack(account: None, environment: pytest.MonkeyPatch) -> Stack:
    open_floor()
    sqs = boto3.client("sqs")
    queues = {
        name: sqs.get_queue_url(QueueName=f"{name}.fifo")["QueueUrl"]
        for name in ("ExecutionQueue", "ExecutionDeadLetterQueue")
    }
    boto3.client("s3").create_bucket(Bucket="candles")
    resources = TABLES | queues | {"CandlesBucket": "candles"}
    deployed = Stack(Target(), "trading", {}, resources)
    for module in (audit, candles_store, dlq, halt, keys):
        environment.setattr(module, "current_stack", lambda _name=None: deployed)
    return deployed


def trading(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words), env={"COLUMNS": "250"})
    return result.exit_code, result.output + result.stderr


def noted(stack: Stack) -> list[tuple[str, int | None]]:
    """The tool's own entries, oldest first."""
    found = trail_of(stack).newest("cli", 100)
    assert all(e.method == "RUN" and e.source.startswith("arn:aws:") for _, e in found)
    return [(entry.path, entry.status) for _, entry in reversed(found)]


def test_every_command_that_writes_past_the_api_is_noted(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    code, text = trading("keys", "create", "--name", "ops")
    key_id, secret = re.findall(r"tk_([a-z0-9]+)_(\S+)", text)[0]
    code, rotated = trading("keys", "rotate", key_id)
    trading("halt", "main", "--reason", "news")
    trading("resume", "main", "--rebase")
    trading("dlq", "redrive")
    file = tmp_path_factory.mktemp("candles") / "a.csv"
    file.write_text("Date,Open,High,Low,Close,Volume\n2024-01-01,1,2,0.5,1.5,3\n")
    trading("candles", "import", f"A={file}")
    code, _ = trading("keys", "revoke", key_id)
    assert code == 0
    assert noted(stack) == [
        (f"trading keys create {key_id}", 200),
        (f"trading keys rotate {key_id}", 200),
        ("trading halt main (halted)", 200),
        ("trading resume main --rebase", 200),
        ("trading dlq redrive", 200),
        ("trading candles import --timeframe 1d", 200),
        (f"trading keys revoke {key_id}", 200),
    ]
    items = str(boto3.client("dynamodb").scan(TableName="AuditTable")["Items"])
    assert secret not in items
    assert rotated.strip().rpartition("_")[2] not in items


def test_a_command_that_fails_is_noted_as_failed(stack: Stack) -> None:
    assert trading("halt", "nobody", "--reason", "news")[0] == 1
    assert trading("keys", "rotate", "0" * 16)[0] == 1
    assert [status for _, status in noted(stack)] == [500, 500]


def test_without_the_trail_nothing_is_done_except_a_halt(stack: Stack) -> None:
    boto3.client("dynamodb").delete_table(TableName="AuditTable")
    before = boto3.client("dynamodb").scan(TableName="KeysTable")["Count"]
    assert trading("keys", "create")[0] == 1
    assert boto3.client("dynamodb").scan(TableName="KeysTable")["Count"] == before
    code, said = trading("halt", "main", "--reason", "news")
    assert code == 0
    assert "audit trail" in said
    assert books()["account"].trading_state == "halted"
    assert trading("resume", "main")[0] == 1
    assert books()["account"].trading_state == "halted"


def test_the_command_shows_keys_and_tool_in_one_list(stack: Stack) -> None:
    key_id = re.findall(r"tk_([a-z0-9]+)_", trading("keys", "create")[1])[0]
    trading("halt", "main", "--reason", "news")
    good("POST", "/risk/main/resume", {}, key_id=key_id)
    code, shown = trading("audit")
    assert code == 0
    assert shown.index("POST /risk/main/resume") < shown.index("RUN trading halt main")
    assert f"{key_id} #1" in shown
    of_tool = trading("audit", "--key", "cli")[1]
    assert "resume" not in of_tool
    assert "halt main" in of_tool
    tomorrow = f"{datetime.now(UTC).year + 1}-01-01"
    assert "halt" not in trading("audit", "--since", tomorrow)[1]
    assert "halt" in trading("audit", "--until", tomorrow)[1]
    assert len(re.findall(r"POST|RUN", trading("audit", "--limit", "1")[1])) == 1
