"""Everything that can go wrong on purpose, as one tree.

TradingError
├── InvalidInput            a field is wrong; names the field and what would be right
├── StrategyFailed          a plug-in did not do what strategies must; names it
├── Unauthenticated         no caller could be established
├── Forbidden               the caller may not do this
├── NotFound                the thing named does not exist
├── Conflict                the thing exists in a state that does not allow this
│   ├── IllegalTransition   a state move that the table does not list
│   ├── MissingRate         an amount would need converting, and there is no rate
│   ├── IdempotencyConflict the key was used before with another body
│   └── StillUnderWay       the same request is being answered at this moment
├── ConcurrentUpdate        somebody else changed the books first; read again and retry
├── PayloadTooLarge         the body is over the limit
└── Unavailable             a dependency does not answer
    └── Throttled           it asks to slow down; trying again soon may succeed
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class TradingError(Exception):
    """Base of all expected errors; catch this to catch them all."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidInput(TradingError):
    """A field is wrong: ``field`` is its dotted path, ``detail`` says what would be right.

    ``more`` are other fields that are wrong too.
    """

    def __init__(self, field: str, detail: str, more: Sequence[InvalidInput] = ()) -> None:
        super().__init__("; ".join([detail, *(other.detail for other in more)]))
        self.field = field
        self.message = detail
        self.more = tuple(more)


class StrategyFailed(TradingError):
    """The strategy ``name`` raised, did not end, or gave what no strategy may give."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"strategy '{name}' {why}")
        self.name = name
        self.why = why


class Unauthenticated(TradingError):
    """No caller could be established from the request."""


class Forbidden(TradingError):
    """The caller is known but lacks the scope or the portfolio."""


class NotFound(TradingError):
    """The thing named does not exist."""

    def __init__(self, kind: str, identifier: str) -> None:
        super().__init__(f"there is no {kind} '{identifier}'")
        self.kind = kind
        self.identifier = identifier


class Conflict(TradingError):
    """The request does not fit the present state of the thing it names."""


class IllegalTransition(Conflict):
    """A state move that the transition table does not allow."""


class MissingRate(Conflict):
    """An amount in ``currency`` counts in ``base``, and no exchange rate between them is known."""

    def __init__(self, currency: str, base: str) -> None:
        super().__init__(
            f"there is no rate from {currency} to {base}: post a price of {currency}-{base}"
        )
        self.currency = currency
        self.base = base


class IdempotencyConflict(Conflict):
    """The same idempotency key came before with another body."""


class StillUnderWay(Conflict):
    """The same request is being answered by somebody else; its answer can be had soon."""


class ConcurrentUpdate(TradingError):
    """Another writer changed what was read; nothing was written, reading again may succeed."""


class PayloadTooLarge(TradingError):
    """The request body is larger than the service accepts."""


class Unavailable(TradingError):
    """A dependency (table, queue, venue) does not answer."""


class Throttled(Unavailable):
    """A dependency took too much at once; nothing was written, trying again soon may succeed."""
