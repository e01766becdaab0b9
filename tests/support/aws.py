"""The tables and queues of ``template.yaml``, made in moto."""

from pathlib import Path
from typing import Any

import boto3
import yaml

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {
    "KeysTable": "KEYS_TABLE",
    "MarketTable": "MARKET_TABLE",
    "SignalsTable": "SIGNALS_TABLE",
    "RecommendationsTable": "RECOMMENDATIONS_TABLE",
    "OrdersTable": "ORDERS_TABLE",
    "PortfolioTable": "PORTFOLIO_TABLE",
    "RiskTable": "RISK_TABLE",
    "IdempotencyTable": "IDEMPOTENCY_TABLE",
    "BacktestsTable": "BACKTESTS_TABLE",
    "AuditTable": "AUDIT_TABLE",
}
OTHER_SETTINGS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "STAGE": "test",
    "METRICS_CACHE_SECONDS": "0",
    "WATCH_LIST": "AAPL,IBM",
    "TIMEFRAME": "1d",
    "STRATEGIES": "ma_cross,rsi_reversion",
    "POWERTOOLS_SERVICE_NAME": "test",
    "CANDLES_BUCKET": "candles",
    "BACKTESTS_BUCKET": "backtests",
    "BACKTESTING_RUN_FUNCTION": "run",
    "SWEEP_STATE_MACHINE": "arn:aws:states:us-east-1:123456789012:stateMachine:sweeps",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
}
_TABLE_PROPERTIES = (
    "BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes",
)  # fmt: skip


class _TemplateLoader(yaml.SafeLoader):
    """Reads a template without resolving CloudFormation's functions."""


def _function(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return {suffix: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {suffix: loader.construct_sequence(node, deep=True)}
    return {suffix: loader.construct_mapping(node, deep=True)}


_TemplateLoader.add_multi_constructor("!", _function)


def template() -> dict[str, Any]:
    """Return template.yaml as data; ``!Ref X`` reads as ``{"Ref": "X"}``."""
    text = (ROOT / "template.yaml").read_text()
    return yaml.load(text, _TemplateLoader)


RESOURCES = template()["Resources"]


def create_tables() -> None:
    """Make every table of the template under its logical id."""
    client = boto3.client("dynamodb")
    for name, resource in RESOURCES.items():
        if resource["Type"] == "AWS::DynamoDB::Table":
            properties = resource["Properties"]
            wanted = {k: properties[k] for k in _TABLE_PROPERTIES if k in properties}
            client.create_table(TableName=name, **wanted)


def create_buckets() -> None:
    """Make the buckets of the template, under the names that the settings give."""
    client = boto3.client("s3")
    for name in ("candles", "backtests"):
        client.create_bucket(Bucket=name)


def create_queues() -> dict[str, str]:
    """Make the execution queue and its dead-letter queue; returns their settings."""
    client = boto3.client("sqs")
    urls = {}
    for variable, name in (
        ("EXECUTION_QUEUE_URL", "ExecutionQueue.fifo"),
        ("DEAD_LETTER_QUEUE_URL", "ExecutionDeadLetterQueue.fifo"),
    ):
        answer = client.create_queue(QueueName=name, Attributes={"FifoQueue": "true"})
        urls[variable] = answer["QueueUrl"]
    return urls
