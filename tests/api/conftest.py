import io
from collections.abc import Iterator

import pytest

from tests.api.demo import Hooks
from trading.telemetry import logger


@pytest.fixture(autouse=True)
def _fresh_hooks(environment: pytest.MonkeyPatch) -> Iterator[None]:
    Hooks.reset()
    yield
    Hooks.reset()


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What the logger writes during a test."""
    buffer = io.StringIO()
    before = logger.registered_handler.setStream(buffer)
    yield buffer
    logger.registered_handler.setStream(before)
