"""Failed attempts at a key, remembered by one running copy of the authorizer.

The secrets cannot be guessed; this keeps somebody who tries from making the table read for every
try. It needs no read and no write: every copy of the function counts for itself, and forgets when
it ends. Importable without pydantic.
"""

from __future__ import annotations

from collections import OrderedDict, deque

WINDOW_SECONDS = 60.0
MOST = 20
"""Failures at one key from one address within the window, after which no try is looked at."""
MOST_FROM_ONE_ADDRESS = 100
REMEMBERED = 10_000
"""How many keys and addresses are remembered; the one that was seen first is forgotten first."""


class Attempts:
    """Failures by key and address, and by address alone, within a sliding window."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def are_too_many(self, key_id: str | None, source: str, now: float) -> bool:
        """Whether a try at this key (None: at no key at all) from this address is refused unseen.

        ``now`` is in seconds on a clock that never goes back.
        """
        return self._count(source, now) >= MOST_FROM_ONE_ADDRESS or (
            key_id is not None and self._count(f"{key_id} {source}", now) >= MOST
        )

    def failed(self, key_id: str | None, source: str, now: float) -> None:
        """Remember a failure."""
        for name in (source, *([] if key_id is None else [f"{key_id} {source}"])):
            times = self._failures.setdefault(name, deque(maxlen=MOST_FROM_ONE_ADDRESS))
            times.append(now)
        while len(self._failures) > REMEMBERED:
            self._failures.popitem(last=False)

    def _count(self, name: str, now: float) -> int:
        times = self._failures.get(name)
        if times is None:
            return 0
        while times and now - times[0] >= WINDOW_SECONDS:
            times.popleft()
        if not times:
            del self._failures[name]
        return len(times)
