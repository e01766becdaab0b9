"""What is odd about candles: reported, never filled in or dropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trading.domain.time import timeframe_length
from trading.quant.strategies.candles import Candles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OUTLIER_DEVIATIONS = 12.0
"""A move this many robust deviations from the median move is an outlier."""
_MAD_TO_DEVIATION = 1.4826
_DAY = 86_400.0


@dataclass(frozen=True)
class Finding:
    """One thing that is odd at a bar: its opening time (seconds since 1970) and what it is."""

    kind: str
    time: float
    detail: str


@dataclass(frozen=True)
class Quality:
    """A report on candles; ``missing`` counts bars that gaps lack, weekends left out."""

    bars: int
    missing: int
    findings: tuple[Finding, ...]

    def count(self, kind: str) -> int:
        """How many findings there are of a kind."""
        return sum(finding.kind == kind for finding in self.findings)


def quality(candles: Candles) -> Quality:
    """Report gaps, duplicates, bars out of order, impossible bars, zero volume and outliers.

    A gap that lies within Saturday and Sunday (UTC) is a weekend, not a gap. A move is measured as
    the logarithm of close over close, its deviation by 1.4826 times the median absolute deviation
    (Hampel 1974), so that outliers do not hide themselves.
    """
    import numpy as np

    length = timeframe_length(candles.timeframe).total_seconds()
    steps = np.diff(candles.time)
    found = [
        *_at(candles, np.flatnonzero(steps == 0) + 1, "duplicate", "opens when another bar does"),
        *_at(candles, np.flatnonzero(steps < 0) + 1, "unsorted", "is older than the bar before"),
        *_at(candles, np.flatnonzero(_impossible(candles)), "impossible", "cannot be a bar"),
        *_at(candles, np.flatnonzero(candles.volume == 0), "no volume", "nothing was traded"),
    ]
    missing = 0
    for place in np.flatnonzero(steps > length * 1.5):
        first, last = float(candles.time[place]) + length, float(candles.time[place + 1])
        lacking = sum(not _weekend(float(t)) for t in np.arange(first, last, length))
        if lacking:
            missing += lacking
            found.append(Finding("gap", first, f"{lacking} bars are missing"))
    found += _outliers(candles)
    order = {"impossible": 0, "unsorted": 1, "duplicate": 2, "gap": 3, "outlier": 4, "no volume": 5}
    ranked = sorted(found, key=lambda f: (order[f.kind], f.time))
    return Quality(len(candles), missing, tuple(ranked))


def _at(candles: Candles, places: NDArray[np.int64], kind: str, detail: str) -> list[Finding]:
    return [Finding(kind, float(candles.time[place]), detail) for place in places]


def _impossible(candles: Candles) -> NDArray[np.bool_]:
    """Bars whose amounts are not finite, not above zero, or outside their own range."""
    import numpy as np

    columns = np.stack([candles.open, candles.high, candles.low, candles.close, candles.volume])
    body = np.stack([candles.open, candles.close])
    wrong: NDArray[np.bool_] = (
        ~np.isfinite(columns).all(axis=0)
        | (columns[:4] <= 0).any(axis=0)
        | (candles.volume < 0)
        | (candles.high < body.max(axis=0))
        | (candles.low > body.min(axis=0))
    )
    return wrong


def _weekend(time: float) -> bool:
    """Whether a moment is on a Saturday or Sunday; 1970 began on a Thursday."""
    return (int(time // _DAY) + 3) % 7 >= 5


def _outliers(candles: Candles) -> list[Finding]:
    """Moves far from what is usual."""
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        moves = np.diff(np.log(candles.close))
    known = moves[np.isfinite(moves)]
    if len(known) < 10:
        return []
    middle = float(np.median(known))
    usual = float(np.median(np.abs(known - middle))) * _MAD_TO_DEVIATION
    if usual == 0:
        return []
    far = np.flatnonzero(np.isfinite(moves) & (np.abs(moves - middle) > OUTLIER_DEVIATIONS * usual))
    return [
        Finding("outlier", float(candles.time[i + 1]), f"a move of {np.expm1(moves[i]):+.1%}")
        for i in far
    ]
