"""Lists that may span portfolios: newest first, paged by an opaque cursor, never a scan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from heapq import merge
from itertools import islice
from typing import Annotated, TypeVar

from fastapi import Query

from trading.api.security import Caller
from trading.schemas.base import PortfolioId, decode_cursor, encode_cursor

T = TypeVar("T")
Placed = tuple[str, T]

Limit = Annotated[int, Query(ge=1, le=200, description="How many items at most.")]
Cursor = Annotated[str | None, Query(max_length=400, description="From the page before.")]
LimitOrAll = Annotated[
    int | None, Query(ge=1, le=200, description="How many items at most; all when left out.")
]
OfPortfolio = Annotated[PortfolioId | None, Query(description="Only this portfolio's.")]
DEFAULT_LIMIT = 50


def page_of(
    read: Callable[[int, str | None], Sequence[Placed[T]]], limit: int, cursor: str | None
) -> tuple[list[T], str | None]:
    """Read one page of one list. ``read`` takes a limit and the place to go on below.

    Raises InvalidInput for a cursor that no page gave.
    """
    before = decode_cursor(cursor) if cursor else None
    found = list(read(limit + 1, before))
    shown = found[:limit]
    following = encode_cursor(shown[-1][0]) if len(found) > limit else None
    return [item for _, item in shown], following


def page_of_whole(
    items: Iterable[T], name: Callable[[T], str], limit: int | None, cursor: str | None
) -> tuple[list[T], str | None]:
    """Cut one page out of a list that is read whole anyway, in the order of names.

    Raises InvalidInput for a cursor that no page gave.
    """
    after = decode_cursor(cursor) if cursor else ""
    left = sorted((item for item in items if name(item) > after), key=name)
    shown = left[:limit]
    following = encode_cursor(name(shown[-1])) if len(left) > len(shown) else None
    return shown, following


def across(
    portfolio_ids: Sequence[str], read: Callable[[str, int, str | None], Sequence[Placed[T]]]
) -> Callable[[int, str | None], list[Placed[T]]]:
    """Make one list of several portfolios' lists, merged by place."""

    def merged(limit: int, before: str | None) -> list[Placed[T]]:
        lists = [read(portfolio_id, limit, before) for portfolio_id in portfolio_ids]
        return list(islice(merge(*lists, key=lambda p: p[0], reverse=True), limit))

    return merged


def visible_portfolios(
    caller: Caller, wanted: str | None, every: Callable[[], list[str]]
) -> list[str]:
    """The portfolios a list covers: the one asked for, or all that the caller may see.

    Raises Forbidden for one that the caller's key is not bound to.
    """
    if wanted is not None:
        caller.check_portfolio(wanted)
        return [wanted]
    return every() if caller.portfolios is None else sorted(caller.portfolios)
