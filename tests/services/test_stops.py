"""Stops whose exit cannot trade at the moment they are reached."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from risk.handler import on_schedule
from tests.support.floor import books, drain, good, open_floor, place, set_price
from tests.support.http import Context
from trading import bootstrap


@pytest.fixture(autouse=True)
def floor(account: None) -> None:
    open_floor()
    place("10")
    stop = {"id": "floor", "symbol": "ACME", "kind": "fixed", "price": "90"}
    good("PUT", "/risk/main/stops", {"stops": [stop]})


def run() -> dict[str, int]:
    counts: dict[str, int] = on_schedule({}, Context())
    return counts


def state() -> Any:
    return good("GET", "/risk/main/stops")["stops"][0]["state"]


def test_a_stop_that_is_reached_while_trading_is_halted_goes_off_when_it_resumes() -> None:
    good("POST", "/risk/main/halt", {"reason": "news"})
    set_price("80")
    assert run()["triggered"] == 0
    assert state() == "armed"
    good("POST", "/risk/main/resume")
    assert run()["exits"] == 1
    drain()
    assert (state(), books()["positions"]["ACME"].quantity) == ("triggered", 0)


def test_a_stop_does_not_go_off_on_a_stale_price(environment: pytest.MonkeyPatch) -> None:
    set_price("80")
    later = datetime.now(UTC) + timedelta(hours=2)
    environment.setattr(bootstrap, "wall_clock", lambda: later)
    assert run()["triggered"] == 0
    assert state() == "armed"
    set_price("79")
    assert run()["exits"] == 1
    drain()
    assert books()["positions"]["ACME"].quantity == 0


def test_a_stop_whose_mark_was_lost_makes_no_second_exit(environment: pytest.MonkeyPatch) -> None:
    from trading.adapters.dynamodb.stops import StopRepository
    from trading.domain.errors import Unavailable

    def dead(*_: Any) -> None:
        raise Unavailable("died before marking the stop")

    set_price("80")
    with environment.context() as patch:
        patch.setattr(StopRepository, "put", dead)
        with pytest.raises(Unavailable):
            run()
    assert state() == "armed"
    run()
    drain()
    assert len(good("GET", "/recommendations")["items"]) == 1
    assert books()["positions"]["ACME"].quantity == 0
