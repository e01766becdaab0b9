"""Recommendations on their way: outbox, queue, execution; twice, late, after a death."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from execution.handler import on_recommendations
from recommendations.handler import on_relay, on_schedule
from tests.support.floor import INSTRUMENT, books, call, drain, good, open_floor, order, set_price
from tests.support.http import Context
from trading import bootstrap
from trading.domain.errors import Unavailable
from trading.domain.risk.rules import ALL_RULES
from trading.settings import settings


@pytest.fixture(autouse=True)
def floor(account: None) -> None:
    open_floor()


def recommend(key: str, quantity: str = "10", **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = good("POST", "/recommendations", order(quantity) | more, key=key)
    return made


def now_is(patch: pytest.MonkeyPatch, moment: datetime) -> None:
    patch.setattr(bootstrap, "wall_clock", lambda: moment)


def record(number: int, body: str, group: str = "main") -> dict[str, Any]:
    return {
        "messageId": f"m-{number}",
        "receiptHandle": f"r-{number}",
        "body": body,
        "attributes": {"MessageGroupId": group},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:q.fifo",
        "awsRegion": "us-east-1",
    }


def message(identifier: str) -> str:
    body = {"kind": "recommendation", "recommendation_id": identifier, "correlation_id": "c"}
    return json.dumps(body)


def deliver(*records: dict[str, Any]) -> list[str]:
    answer = on_recommendations({"Records": list(records)}, Context())
    return [f["itemIdentifier"] for f in answer["batchItemFailures"]]


def test_a_recommendation_is_judged_queued_executed_and_explained() -> None:
    made = recommend("a")
    assert made["execution_status"] == "queued"
    assert len(made["risk"]) == len(ALL_RULES)
    assert drain()["batchItemFailures"] == []
    done = good("GET", f"/recommendations/{made['id']}")
    assert done["execution_status"] == done["status"] == "executed"
    bought = good("GET", f"/orders/{done['order_id']}")
    assert (bought["recommendation_id"], bought["filled_quantity"]) == (made["id"], "10")
    assert good("GET", "/recommendations")["items"][0]["id"] == made["id"]


def test_one_that_risk_rejects_is_kept_with_the_reason_and_never_sent() -> None:
    made = recommend("a", "100000")
    assert (made["execution_status"], made["reason"]) == ("rejected", "cash_available")
    assert drain() == {"batchItemFailures": []}
    assert good("GET", "/orders")["items"] == []


def test_a_message_that_comes_twice_trades_once() -> None:
    made = recommend("a")
    twice = [record(1, message(made["id"])), record(2, message(made["id"]))]
    assert deliver(*twice) == []
    assert deliver(*twice) == []
    assert books()["positions"]["ACME"].quantity == 10
    assert len(books()["ledger"]) == 2


def test_foreign_messages_fail_alone_and_their_neighbours_are_executed() -> None:
    first, second = recommend("a"), recommend("b")
    failed = deliver(
        record(1, "not JSON"),
        record(2, message(first["id"])),
        record(3, '{"kind": "invoice"}'),
        record(4, "[]"),
        record(5, message(second["id"])),
        record(6, message("rec_" + "0" * 32), group="other"),
    )
    assert sorted(failed) == ["m-1", "m-3", "m-4", "m-6"]
    assert books()["positions"]["ACME"].quantity == 20


def test_a_lapsed_recommendation_expires_and_does_not_trade(
    environment: pytest.MonkeyPatch,
) -> None:
    made = recommend("a")
    now_is(environment, datetime.now(UTC) + timedelta(hours=2))
    set_price("100")
    drain()
    done = good("GET", f"/recommendations/{made['id']}")
    assert done["execution_status"] == "expired"
    assert books()["positions"] == {}


def test_a_cancelled_recommendation_does_not_trade() -> None:
    made = recommend("a")
    for _ in range(2):
        cancelled = good("POST", f"/recommendations/{made['id']}/cancel")
        assert cancelled["execution_status"] == "cancelled"
    drain()
    assert books()["positions"] == {}


def test_an_executed_recommendation_cannot_be_cancelled() -> None:
    made = recommend("a")
    drain()
    assert call("POST", f"/recommendations/{made['id']}/cancel").status == 409


def test_what_was_saved_reaches_the_queue_though_its_writer_died(
    environment: pytest.MonkeyPatch,
) -> None:
    from trading.adapters.sqs.execution_queue import SqsExecutionQueue

    def dead(*_: Any) -> list[str]:
        raise Unavailable("died before sending")

    with environment.context() as patch:
        patch.setattr(SqsExecutionQueue, "send", dead)
        assert call("POST", "/recommendations", order(), key="a").status == 503
    assert good("GET", "/recommendations")["items"][0]["execution_status"] == "pending"
    assert on_relay({}, Context()) == {"sent": 1, "unsent": 0, "expired": 0}
    assert on_relay({}, Context()) == {"sent": 0, "unsent": 0, "expired": 0}
    drain()
    assert books()["positions"]["ACME"].quantity == 10


def test_a_relay_that_dies_after_sending_sends_again_and_it_trades_once(
    environment: pytest.MonkeyPatch,
) -> None:
    from trading.adapters.dynamodb.recommendations import RecommendationRepository

    def dead(*_: Any) -> None:
        raise Unavailable("died before writing down that it sent")

    with environment.context() as patch:
        patch.setattr(RecommendationRepository, "move", dead)
        call("POST", "/recommendations", order(), key="a")
    made = good("GET", "/recommendations")["items"][0]
    assert made["execution_status"] == "pending"
    drain()
    on_relay({}, Context())
    drain()
    assert good("GET", f"/recommendations/{made['id']}")["execution_status"] == "executed"
    assert books()["positions"]["ACME"].quantity == 10


def test_a_commit_whose_answer_was_lost_is_noticed(environment: pytest.MonkeyPatch) -> None:
    from trading.adapters.dynamodb.store import Store

    made = recommend("a")
    write = Store.transact

    def loses_the_answer(self: Store, writes: Any) -> None:
        write(self, writes)
        raise Unavailable("the answer was lost")

    with environment.context() as patch:
        patch.setattr(Store, "transact", loses_the_answer)
        assert deliver(record(1, message(made["id"]))) == ["m-1"]
    assert deliver(record(1, message(made["id"]))) == []
    state = books()
    assert (state["positions"]["ACME"].quantity, state["trades"]) == (10, 1)
    assert good("GET", f"/recommendations/{made['id']}")["execution_status"] == "executed"


@pytest.mark.parametrize("guard", ["account", "order", "recommendation", "ledger", "limits"])
def test_a_decision_is_written_whole_or_not_at_all(
    environment: pytest.MonkeyPatch, guard: str
) -> None:
    from dataclasses import replace

    from trading.adapters.dynamodb.store import Store, Write

    made = recommend("a")
    before = books()
    write = Store.transact

    def with_a_failing_guard(self: Store, writes: list[Write]) -> None:
        never = {"ConditionExpression": "attribute_exists(never_there)"}
        bodies = [
            {
                k: v
                for k, v in w.body.items()
                if k != "ExpressionAttributeValues" or "Update" in w.kind
            }
            for w in writes
        ]
        write(
            self,
            [
                replace(w, body=body | never) if w.name == guard else w
                for w, body in zip(writes, bodies, strict=True)
            ],
        )

    with environment.context() as patch:
        patch.setattr("trading.usecases.retry.BASE_SECONDS", 0)
        patch.setattr(Store, "transact", with_a_failing_guard)
        assert deliver(record(1, message(made["id"]))) == ["m-1"]
    assert books() == before
    assert good("GET", "/orders")["items"] == []
    assert good("GET", f"/recommendations/{made['id']}")["execution_status"] == "queued"


def test_signals_become_recommendations_once(account: None) -> None:
    for source, score in (("model", "0.9"), ("desk", "0.5")):
        body = {
            "symbol": "ACME",
            "source": source,
            "strategy": "any",
            "score": score,
            "time": datetime.now(UTC).isoformat(),
            "price": "100",
        }
        good("POST", "/signals", body)
    made = on_schedule({}, Context())
    assert (made["created"], made["sent"]) == (1, 1)
    assert on_schedule({}, Context())["created"] == 0
    drain()
    bought = good("GET", "/recommendations")["items"][0]
    detail = good("GET", f"/recommendations/{bought['id']}")
    assert {c["score"] for c in detail["contributions"]} == {"0.9", "0.5"}
    # score 0.7 of a target fraction of 0.1 of 10,000 USD at 100 USD
    assert (detail["score"], detail["quantity"]) == ("0.7", "7")
    assert books()["positions"]["ACME"].quantity == Decimal(7)
    assert on_schedule({}, Context())["created"] == 0


def test_one_correlation_id_runs_from_request_to_ledger() -> None:
    headers = {"X-Correlation-Id": "from-the-client"}
    made = good("POST", "/recommendations", order(), key="a", headers=headers)
    drain()
    done = good("GET", f"/recommendations/{made['id']}")
    bought = good("GET", f"/orders/{done['order_id']}")
    found = {made["correlation_id"], bought["correlation_id"]}
    found |= {bought["fills"][0]["correlation_id"], books()["ledger"][-1].correlation_id}
    assert found == {"from-the-client"}


def test_a_failed_message_is_handed_back_soon() -> None:
    client, url = bootstrap.queue_client(), settings().execution_queue_url
    client.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "3600"})
    client.send_message(
        QueueUrl=url, MessageBody="stray", MessageGroupId="g", MessageDeduplicationId="d"
    )
    assert len(drain()["batchItemFailures"]) == 1
    assert len(client.receive_message(QueueUrl=url).get("Messages", [])) == 1


def test_a_planned_buy_takes_its_commission_out_of_what_the_next_may_spend() -> None:
    terms = {"target_fraction": "0.5", "symbols": ["ACME", "OTHER"]}
    open_floor("small", cash="1005", commission_rate="0.01", policy=terms)
    good("PUT", "/market/instruments/OTHER", INSTRUMENT | {"base_currency": "OTHER"})
    good("POST", "/market/prices", {"prices": [{"symbol": "OTHER", "price": "100"}]})
    for symbol in ("ACME", "OTHER"):
        body = {"symbol": symbol, "source": "s", "strategy": "m",
                "time": datetime.now(UTC).isoformat(), "score": "1", "price": "100"}  # fmt: skip
        good("POST", "/signals", body)
    assert on_schedule({"portfolio_ids": ["small"]}, Context())["sent"] == 2
    drain()
    # 5 for 505; of the 500 left 4 can be paid with their commission, not 5.
    bought = {s: p.quantity for s, p in books("small")["positions"].items()}
    assert bought == {"ACME": 5, "OTHER": 4}


def test_generating_under_one_key_gives_one_answer() -> None:
    """The second run would find nothing new and say so; the key's answer is that of the first."""
    signal = {"symbol": "ACME", "source": "model", "strategy": "any", "score": "0.9"}
    good("POST", "/signals", signal | {"time": datetime.now(UTC).isoformat(), "price": "100"})
    first = good("POST", "/recommendations/generate", {}, key="g")
    assert first["created"] == 1
    assert good("POST", "/recommendations/generate", {}, key="g") == first
    assert good("POST", "/recommendations/generate", {})["created"] == 0
    assert call("POST", "/recommendations/generate", {"portfolio_ids": []}, key="g").status == 422
