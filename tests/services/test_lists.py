"""Lists walked page by page, and cursors that no page gave."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.floor import call, drain, good, open_floor, order, place
from trading.schemas.base import encode_cursor

LISTS = {
    "/orders": ("id", "created_at"),
    "/executions": ("id", "time"),
    "/recommendations": ("id", "created_at"),
    "/risk/main/decisions": ("order_id", "time"),
    "/portfolio/main/ledger": ("sequence", "time"),
}


@pytest.fixture(autouse=True)
def floor(account: None) -> None:
    open_floor()
    for key in ("a", "b", "c"):
        good("POST", "/recommendations", order("1"), key=key)
    drain()
    place("1")
    place("1")


def walk(path: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = good("GET", f"{path}?limit=2" + (f"&cursor={cursor}" if cursor else ""))
        assert len(page["items"]) <= 2
        items += page["items"]
        if not (cursor := page["cursor"]):
            return items


@pytest.mark.parametrize("path", LISTS)
def test_pages_of_two_give_each_item_once_newest_first(path: str) -> None:
    identity, moment = LISTS[path]
    found = walk(path)
    whole = good("GET", path)["items"]
    expected = {"/recommendations": 3, "/portfolio/main/ledger": 6}.get(path, 5)
    assert [i[identity] for i in found] == [i[identity] for i in whole]
    assert len({i[identity] for i in found}) == len(found) == expected
    times = [i[moment] for i in found]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("path", ["/orders", "/executions", "/recommendations"])
def test_a_list_across_portfolios_is_one_list(path: str) -> None:
    open_floor("second")
    good("POST", "/recommendations", order("1", portfolio_id="second"), key="d")
    drain()
    place("1", portfolio_id="second")
    place("1")
    identity, moment = LISTS[path]
    found = walk(path)
    assert len({i[identity] for i in found}) == len(found)
    assert {i["portfolio_id"] for i in found} == {"main", "second"}
    assert [i[moment] for i in found] == sorted((i[moment] for i in found), reverse=True)
    own = good("GET", path, portfolios=["second"])["items"]
    assert {i["portfolio_id"] for i in own} == {"second"}


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("query", ["cursor=%25%25", "cursor=abc", "limit=0", "limit=201"])
def test_a_broken_cursor_or_limit_is_refused_by_name(path: str, query: str) -> None:
    refused = call("GET", f"{path}?{query}")
    assert refused.status == 422
    assert query.split("=")[0] in refused.text


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("place_", ["POSITION#ZZZ", "STOP#ZZZ", "~", "!", "2026-01-01"])
def test_a_cursor_made_up_never_shows_what_is_not_in_the_list(path: str, place_: str) -> None:
    """Such a cursor is a place that no item stands at; the list goes on below it, or ends."""
    identity, _ = LISTS[path]
    everything = [i[identity] for i in good("GET", path)["items"]]
    page = good("GET", f"{path}?cursor={encode_cursor(place_)}")
    assert [i[identity] for i in page["items"]] in ([], everything)
