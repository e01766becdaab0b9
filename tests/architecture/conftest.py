"""The build that the tests of this folder look at."""

from pathlib import Path

import pytest

from tests.support import built as build


@pytest.fixture(scope="session")
def built() -> Path:
    """The folder with the built functions and layers, made once."""
    return build.built()
