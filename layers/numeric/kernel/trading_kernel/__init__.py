"""The compiled gear of backtests: where its library is, if it could be compiled."""

from __future__ import annotations

from pathlib import Path

LIBRARY = Path(__file__).with_name("simulate.so")


def library() -> Path | None:
    """Path of the library; None where nothing could compile it."""
    return LIBRARY if LIBRARY.exists() else None
