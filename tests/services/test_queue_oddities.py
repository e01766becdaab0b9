"""What may happen to a recommendation between being saved and being executed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from execution.handler import on_schedule as match_schedule
from tests.services.test_pipeline import deliver, message, record
from tests.support.floor import INSTRUMENT, books, call, drain, good, open_floor, order, set_price
from tests.support.http import Context


@pytest.fixture(autouse=True)
def floor(account: None) -> None:
    open_floor()


def recommend(key: str, **more: Any) -> str:
    made: str = good("POST", "/recommendations", order(**more), key=key)["id"]
    return made


def status_of(identifier: str) -> str:
    found: str = good("GET", f"/recommendations/{identifier}")["execution_status"]
    return found


def test_one_whose_order_rests_is_cancelled_by_its_order_and_not_behind_its_back() -> None:
    made = recommend("a", type="limit", limit_price="90")
    drain()
    assert status_of(made) == "executing"
    assert call("POST", f"/recommendations/{made}/cancel").status == 409
    assert status_of(made) == "executing"
    resting = good("GET", f"/recommendations/{made}")["order_id"]
    good("DELETE", f"/orders/{resting}")
    assert status_of(made) == "cancelled"


def test_one_whose_order_rests_is_executed_when_its_price_comes() -> None:
    made = recommend("a", type="limit", limit_price="90")
    drain()
    set_price("89")
    assert match_schedule({}, Context())["filled"] == 1
    assert status_of(made) == "executed"


def test_one_that_can_be_no_order_any_more_fails_and_its_neighbours_trade() -> None:
    """The instrument's tick grew after it was saved, so its limit price is no price now."""
    made = recommend("a", type="limit", limit_price="99.5")
    neighbour = recommend("b")
    good("PUT", "/market/instruments/ACME", INSTRUMENT | {"tick_size": "1"})
    assert drain()["batchItemFailures"] == []
    done = good("GET", f"/recommendations/{made}")
    assert done["execution_status"] == "failed"
    assert "tick" in done["reason"]
    assert status_of(neighbour) == "executed"
    assert books()["account"].open_orders == 0


def test_a_message_that_names_no_recommendation_of_ours_holds_up_no_neighbour() -> None:
    first, second = recommend("a"), recommend("b")
    failed = deliver(
        record(1, message(first)),
        record(2, message("rec_" + "0" * 32)),
        record(3, message(second)),
    )
    assert failed == ["m-2"]
    assert (status_of(first), status_of(second)) == ("executed", "executed")


def test_a_failure_of_ours_holds_up_its_own_portfolio_only(
    environment: pytest.MonkeyPatch,
) -> None:
    from trading.adapters.dynamodb.store import Store
    from trading.domain.errors import Unavailable

    open_floor("second")
    first, second = recommend("a"), recommend("b")
    other = recommend("c", portfolio_id="second")
    read = Store.get

    def cannot_read_the_first(self: Store, table: str, key: dict[str, str], **more: Any) -> Any:
        if key["pk"].endswith(first):
            raise Unavailable("the table does not answer")
        return read(self, table, key, **more)

    batch = (
        record(1, message(first)),
        record(2, message(second)),
        record(3, message(other), group="second"),
    )
    with environment.context() as patch:
        patch.setattr(Store, "get", cannot_read_the_first)
        assert deliver(*batch) == ["m-1", "m-2"]
    assert (status_of(first), status_of(second), status_of(other)) == (
        "queued",
        "queued",
        "executed",
    )
    assert deliver(*batch[:2]) == []
    assert (status_of(first), status_of(second)) == ("executed", "executed")


def test_cancelling_while_it_is_being_sent_still_cancels(environment: pytest.MonkeyPatch) -> None:
    """The relay notes that it was sent between the cancel's reading and its writing."""
    from trading.adapters.dynamodb.recommendations import RecommendationRepository
    from trading.domain.recommendation import Recommendation, RecommendationStatus

    move = RecommendationRepository.move
    with environment.context() as patch:
        patch.setattr("recommendations.routes.send", lambda *_: None)
        made = recommend("a")
    assert status_of(made) == "pending"
    outrun = []

    def after_the_relay(
        self: RecommendationRepository, now: Recommendation, was: Recommendation
    ) -> None:
        if not outrun:
            outrun.append(was)
            move(self, was.moved(RecommendationStatus.QUEUED, datetime.now(UTC)), was)
        move(self, now, was)

    with environment.context() as patch:
        patch.setattr(RecommendationRepository, "move", after_the_relay)
        assert good("POST", f"/recommendations/{made}/cancel")["execution_status"] == "cancelled"
    assert status_of(made) == "cancelled"


def test_a_rejected_order_whose_answer_was_lost_is_still_one_and_a_problem() -> None:
    import boto3

    from trading.settings import settings

    first = call("POST", "/orders", order("1000"), key="k")
    table = boto3.resource("dynamodb").Table(settings().idempotency_table)
    for item in table.scan()["Items"]:
        table.delete_item(Key={"id": item["id"]})
    again = call("POST", "/orders", order("1000"), key="k")
    assert (first.status, again.status) == (422, 422)
    assert again.headers["content-type"] == "application/problem+json"
    for part in ("order", "risk", "errors", "detail"):
        assert again.json[part] == first.json[part] != []
    assert len(good("GET", "/risk/main/decisions")["items"]) == 1
