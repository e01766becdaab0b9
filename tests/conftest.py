"""What every test may use: an AWS account in memory with the platform's tables and queues."""

import functools
import sys
from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.support import aws

OURS = ("trading", *(path.parent.name for path in (aws.ROOT / "functions").glob("*/handler.py")))


def forget_cached_parts() -> None:
    """Forget what the product remembers between calls: clients, settings, the time limit."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in OURS:
            for value in vars(module).values():
                if isinstance(value, functools._lru_cache_wrapper):
                    value.cache_clear()
    if "trading.deadline" in sys.modules:
        sys.modules["trading.deadline"].begin(None)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The environment of a function that may touch everything."""
    for name, value in aws.OTHER_SETTINGS.items():
        monkeypatch.setenv(name, value)
    for table, variable in aws.ENVIRONMENT.items():
        monkeypatch.setenv(variable, table)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    forget_cached_parts()
    yield monkeypatch
    forget_cached_parts()


@pytest.fixture
def account(environment: pytest.MonkeyPatch) -> Iterator[None]:
    """Empty tables, buckets and queues in memory, and settings that name them."""
    with mock_aws():
        aws.create_tables()
        aws.create_buckets()
        for variable, url in aws.create_queues().items():
            environment.setenv(variable, url)
        forget_cached_parts()
        yield
