"""Bounds and cursors that no list gave: refused or empty, never a fault."""

import base64
from unittest.mock import Mock

import pytest

from market.handler import api as market
from signals.handler import api as signals
from tests.support.http import invoke
from trading.adapters.dynamodb.store import Range, Store

LISTS = [
    pytest.param(market, "/market/instruments?", id="instruments"),
    pytest.param(signals, "/signals?", id="signals"),
    pytest.param(signals, "/signals?symbol=AAPL&", id="signals-of-a-symbol"),
]


@pytest.mark.parametrize(("api", "path"), LISTS)
@pytest.mark.parametrize("place", ["\x00", "a\x00", "\ue000", "é", "\x7f"])
def test_a_cursor_of_what_no_key_is_made_of_is_refused(
    account: None, api: object, path: str, place: str
) -> None:
    cursor = base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")
    answer = invoke(api, "GET", f"{path}cursor={cursor}")
    assert answer.status == 422
    assert answer.json["errors"][0]["field"] == "cursor"


@pytest.mark.parametrize(
    ("within", "before"),
    [
        (Range(start="2020-01-02", end="2020-01-01"), None),
        # The place before the last item of a page that ends where the range starts.
        (Range(start="2020-01-02"), "2020-01-02"),
    ],
)
def test_bounds_that_cross_hold_nothing_and_are_not_sent(within: Range, before: str | None) -> None:
    client = Mock()
    assert Store(client).query("T", "p", within, before=before) == []
    client.query.assert_not_called()


def test_bounds_that_meet_are_asked_for() -> None:
    client = Mock()
    client.query.return_value = {"Items": [{"sk": {"S": "2020-01-02"}}]}
    same = Range(start="2020-01-02", end="2020-01-02")
    assert Store(client).query("T", "p", same) == [{"sk": "2020-01-02"}]
