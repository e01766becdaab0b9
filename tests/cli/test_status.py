"""`trading status` reads every part on its own, and draws what was read."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import boto3
import pytest
from rich.console import Console
from typer.testing import CliRunner

from tests.support.aws import RESOURCES
from tests.support.floor import open_floor
from trading_cli import halt, spending, status
from trading_cli.main import app
from trading_cli.stack import Stack
from trading_cli.status_screen import age, screen
from trading_cli.target import Target

TABLES = {name: name for name, r in RESOURCES.items() if r["Type"] == "AWS::DynamoDB::Table"}


@pytest.fixture
def stack(account: None, environment: pytest.MonkeyPatch) -> Stack:
    open_floor()
    sqs, watch = boto3.client("sqs"), boto3.client("cloudwatch")
    queues = {
        name: sqs.get_queue_url(QueueName=f"{name}.fifo")["QueueUrl"] for name in status.QUEUES
    }
    for name in ("mine", "other"):
        watch.put_metric_alarm(
            AlarmName=name, Namespace="N", MetricName="M", Period=60, EvaluationPeriods=1,
            Statistic="Sum", Threshold=1, ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip
        watch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason=f"{name} broke")
    boto3.client("scheduler").create_schedule(
        Name="generate", ScheduleExpression="rate(1 hour)", State="DISABLED",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": "arn:aws:lambda:us-east-1:123456789012:function:f",
                "RoleArn": "arn:aws:iam::123456789012:role/r"},
    )  # fmt: skip
    resources = TABLES | queues | {"MyAlarm": "mine", "Generate": "generate"}
    types = dict.fromkeys(TABLES, "AWS::DynamoDB::Table") | dict.fromkeys(queues, "AWS::SQS::Queue")
    types |= {"MyAlarm": "AWS::CloudWatch::Alarm", "Generate": "AWS::Scheduler::Schedule"}
    deployed = Stack(Target(), "trading", {"ApiUrl": "http://127.0.0.1:9"}, resources, types)
    environment.setattr(status, "current_stack", lambda _name: deployed)
    environment.setattr(halt, "current_stack", lambda _name: deployed)
    environment.setattr(status, "read_services", lambda _stack: [])
    return deployed


def drawn(read: status.Status, width: int = 120) -> str:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(screen(read))
    return console.export_text()


def test_the_screen_shows_the_stack_s_own_parts(stack: Stack) -> None:
    assert CliRunner().invoke(app, ["halt", "main", "--reason", "news"]).exit_code == 0
    text = drawn(status.read_status(stack, datetime.now(UTC)))
    for part in ("mine: mine broke", "rate(1 hour)", "DISABLED", "halted", "news", "no figures"):
        assert part in text
    assert "other broke" not in text
    assert "cannot be read" not in text
    assert len(text.splitlines()) <= 50


def test_a_price_is_stale_when_its_instrument_says_so(stack: Stack) -> None:
    now = datetime.now(UTC)
    read = status.read_prices(stack, now)
    assert read
    late = max(p.time + timedelta(seconds=p.max_age_seconds or 0) for p in read)
    assert all(p.stale for p in status.read_prices(stack, late + timedelta(seconds=1)))


def test_a_part_that_fails_leaves_the_others(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_stack: Stack) -> None:
        raise PermissionError("not allowed")

    monkeypatch.setattr(status, "read_alarms", refuse)
    text = drawn(status.read_status(stack, datetime.now(UTC)))
    assert "cannot be read: PermissionError: not allowed" in text
    assert "main" in text


def test_the_same_is_printed_as_json(stack: Stack) -> None:
    shown = CliRunner().invoke(app, ["status", "--json"])
    assert shown.exit_code == 0, shown.output
    read = json.loads(shown.output)
    assert [a["name"] for a in read["alarms"]] == ["mine"]
    assert [p["id"] for p in read["portfolios"]] == ["main"]


def test_spending_follows_from_figures_and_the_tariff() -> None:
    assert spending.priced({"Lambda requests": Decimal(5_000_000)}) == {
        "Lambda requests": Decimal("1.00")
    }
    half = datetime(2026, 11, 16, tzinfo=UTC)
    assert spending.month_fraction(half) == Decimal("0.5")
    assert spending.month_start(half) == datetime(2026, 11, 1, tzinfo=UTC)


def test_spending_sums_what_cloudwatch_has(stack: Stack) -> None:
    now = datetime.now(UTC)
    boto3.client("cloudwatch").put_metric_data(
        Namespace="AWS/DynamoDB",
        MetricData=[{
            "MetricName": "ConsumedReadCapacityUnits", "Value": 8_000_000, "Timestamp": now,
            "Dimensions": [{"Name": "TableName", "Value": "OrdersTable"}],
        }],
    )  # fmt: skip
    read = spending.read_spending(stack, now + timedelta(seconds=5), [])
    assert read.used == {"DynamoDB reads": Decimal(1)}
    assert read.total == 1 + sum(read.fixed.values())


def test_schedules_by_rate_are_counted() -> None:
    day = timedelta(days=1)
    assert spending.runs(["rate(1 hour)", "rate(30 minutes)", "cron(0 1 * * ? *)"], day) == 72


def test_an_alarm_that_is_gone_does_not_pass_for_well(stack: Stack) -> None:
    boto3.client("cloudwatch").delete_alarms(AlarmNames=["mine"])
    assert [(a.name, a.state) for a in status.read_alarms(stack)] == [("mine", "MISSING")]


def test_ages_are_told_in_their_greatest_unit() -> None:
    assert [age(s) for s in (None, 5, 600, 7200, 172_800)] == ["-", "5 s", "10 min", "2 h", "2 d"]
