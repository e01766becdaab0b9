"""UTC times: their one text form, and the lengths of timeframes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from trading.domain.errors import InvalidInput

TIMEFRAMES: dict[str, timedelta] = {
    "1m": timedelta(minutes=1),
    "5m": timedelta(minutes=5),
    "15m": timedelta(minutes=15),
    "30m": timedelta(minutes=30),
    "1h": timedelta(hours=1),
    "4h": timedelta(hours=4),
    "1d": timedelta(days=1),
    "1w": timedelta(days=7),
}
"""Bar lengths by their name. A candle is labelled by the time at which it opens."""


def timeframe_length(name: str) -> timedelta:
    """Return the length of a timeframe such as ``1h``.

    Raises InvalidInput for a name that is not in ``TIMEFRAMES``.
    """
    if name not in TIMEFRAMES:
        raise InvalidInput("timeframe", f"must be one of {', '.join(TIMEFRAMES)}, not '{name}'")
    return TIMEFRAMES[name]


def to_text(moment: datetime) -> str:
    """Write a time as ``2026-01-31T12:00:00.000000Z``; such texts sort as the times do."""
    # Several times as fast as strftime, and an order writes a dozen times.
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def from_text(text: str) -> datetime:
    """Read a time written by ``to_text``."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
