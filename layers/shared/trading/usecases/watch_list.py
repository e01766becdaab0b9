"""Which symbols the scheduled work is done for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from trading.domain.instrument import Instrument


class Instruments(Protocol):
    """Where instruments are registered."""

    def instruments(self) -> list[Instrument]:
        """All instruments."""
        ...


def symbols_to_watch(
    named: Sequence[str] | None, configured: Sequence[str], market: Instruments
) -> Sequence[str]:
    """Those that were named, else those that are configured, else every instrument's."""
    return named or configured or [instrument.symbol for instrument in market.instruments()]
