"""Entry points of the execution service: HTTPS, the recommendation queue, schedules."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from execution.routes import router
from trading import bootstrap, checks, deadline, measures, tracing
from trading.adapters.dynamodb.price_stream import read_prices
from trading.adapters.sqs.execution_queue import hand_back, queue_depth, read_message, trace_context
from trading.api.app import MetricFamily, create_app, lambda_entry
from trading.desk import desk
from trading.domain.errors import InvalidInput, NotFound, Unavailable
from trading.settings import settings
from trading.telemetry import (
    choose_correlation_id,
    logger,
    note_trace,
    observed,
    set_correlation_id,
)
from trading.usecases.each import each_portfolio
from trading.usecases.execute_recommendation import execute_recommendation
from trading.usecases.match_orders import match_orders
from trading.usecases.reconcile import Difference, lasting_differences

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord


def _metrics() -> Iterable[MetricFamily]:
    """Orders by state and reason; depth of the queue and of its dead letters."""
    orders = MetricFamily("trading_orders", "Orders by portfolio, execution status and reason.")
    for portfolio_id, states in desk().orders.counts().items():
        for state, count in states.items():
            status, _, reason = state.partition("#")
            orders.add(count, portfolio=portfolio_id, execution_status=status, reason=reason)
    queues = MetricFamily("trading_queue_messages", "Messages waiting, by queue.")
    for name, url in (
        ("execution", settings().execution_queue_url),
        ("dead_letter", settings().dead_letter_queue_url),
    ):
        queues.add(queue_depth(bootstrap.queue_client(), url)["waiting"], queue=name)
    return [orders, queues]


app = create_app(
    "execution",
    "Orders and executions",
    router,
    prefix="/orders",
    checks={
        "orders_table": checks.table(lambda: settings().orders_table),
        "portfolio_table": checks.table(lambda: settings().portfolio_table),
        "execution_queue": checks.execution_queue,
    },
    metrics=_metrics,
    trail=bootstrap.audit_trail,
)
api = lambda_entry(app)

RETRY_SECONDS = 5
"""When a message of ours that failed is tried again."""


@observed
def on_recommendations(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Act on a batch of queued recommendations.

    A message that is not ours fails alone, and the queue moves it to the dead letters after its
    tries; ours go on around it, since it stands in no order to them. When one of ours fails, the
    rest of its portfolio's messages fail with it, so that their order is kept.
    """
    records: list[dict[str, Any]] = event["Records"]
    foreign = {record["messageId"] for record in records if not _is_ours(record)}
    ours = [record for record in records if record["messageId"] not in foreign]
    failed = _execute_all(ours, foreign, context) if ours else set()
    _hand_back(records, failed, foreign)
    everything = failed | foreign
    ids = [record["messageId"] for record in records if record["messageId"] in everything]
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in ids]}


def _execute_all(records: list[dict[str, Any]], foreign: set[str], context: Any) -> set[str]:
    """Act on messages in order and return the ids of those that failed.

    Other portfolios go on after a failure, and a batch that fails whole is answered too. Those
    that name a recommendation that was never saved are added to ``foreign``: ours are saved first.
    """
    # Imported here: of the functions that share this module, only the queue's needs it.
    from aws_lambda_powertools.utilities.batch import (
        SqsFifoPartialProcessor,
        process_partial_response,
    )

    def act(record: SQSRecord) -> None:
        if deadline.spare() == 0:
            raise Unavailable("no time is left in this invocation; the message is handed back")
        try:
            with tracing.span(
                "execution queue process",
                "consumer",
                trace_context(record.raw_event),
                messaging__system="aws_sqs",
                messaging__message__id=record.message_id,
            ):
                note_trace()
                _execute(record)
        except NotFound as error:
            if error.kind != "recommendation":
                raise
            logger.error(error.detail, extra={"message_id": record.message_id})
            foreign.add(record.message_id)

    processor = SqsFifoPartialProcessor(skip_group_on_error=True)
    processor.raise_on_entire_batch_failure = False
    answer = process_partial_response(
        event={"Records": records}, record_handler=act, processor=processor, context=context
    )
    return {str(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]}


def _hand_back(records: list[dict[str, Any]], failed: set[str], foreign: set[str]) -> None:
    """Let failed messages come again soon: their portfolio's queue stands still until then.

    Best effort: one that cannot be handed back comes again after the queue's own timeout.
    """
    for record in records:
        identifier = record["messageId"]
        if identifier not in failed and identifier not in foreign:
            continue
        seconds = 0 if identifier in foreign else RETRY_SECONDS
        address = settings().execution_queue_url
        if not hand_back(bootstrap.queue_client(), address, record["receiptHandle"], seconds):
            logger.warning(
                "a failed message waits for the queue's own timeout",
                extra={"message_id": identifier},
            )


def _is_ours(record: dict[str, Any]) -> bool:
    """Tell whether a message can be read as one of ours; one that cannot is logged."""
    try:
        read_message(record["body"])
    except InvalidInput as error:
        logger.error(
            "a message in the queue is not ours",
            extra={"message_id": record["messageId"], "why": error.detail},
        )
        return False
    return True


def _measure_wait(record: SQSRecord) -> None:
    """Note how long a message waited, if the queue tells when it came."""
    sent = (record.raw_event.get("attributes") or {}).get("SentTimestamp", "")
    if sent.isdigit():
        waited = max(0, round(time.time() * 1000) - int(sent))
        measures.measure("QueueAge", "Milliseconds", waited)


def _execute(record: SQSRecord) -> None:
    """Act on one message."""
    message = read_message(record.body)
    _measure_wait(record)
    set_correlation_id(choose_correlation_id(message["correlation_id"]))
    done = execute_recommendation(desk(), message["recommendation_id"])
    logger.info(
        "recommendation executed",
        extra={
            "recommendation_id": done.id,
            "portfolio_id": done.portfolio_id,
            "order_id": done.order_id,
            "execution_status": done.execution_status.value,
            "reason": done.reason,
        },
    )


@observed
def on_prices(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Show the resting orders of every symbol that has a new price what the market did.

    Event: a batch of the market table's stream. What fails is tried again a few times; the
    schedule looks at everything once more. Answers as ``on_schedule`` does, and how many records
    could not be read.
    """
    prices, unreadable = read_prices(event["Records"])
    counts = Counter[str]()
    for symbol in sorted({price.symbol for price in prices}):
        counts.update(match_orders(desk(), symbol))
    answer = {**counts, "unreadable": unreadable}
    logger.info("prices shown to resting orders", extra={"counts": answer})
    return answer


@observed
def on_schedule(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Show every resting order what the market did since it last saw it.

    Event: ``{"symbol": "AAPL"}`` for one symbol's orders, ``{}`` for all. Answers how many were
    filled, expired or rejected, still wait, or were busy.
    """
    counts = match_orders(desk(), event.get("symbol"))
    logger.info("resting orders matched", extra=counts)
    return counts


@observed
def on_reconcile(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Compare the stored books with the ledger and the resting orders; changes nothing.

    Event: ``{"portfolio_ids": ["main"]}``, or ``{}`` for every portfolio. Answers how many were
    compared, how many differences were found twice in a row, and how many portfolios are unknown.
    """
    found: list[Difference] = []

    def act(portfolio_id: str) -> None:
        lasting = lasting_differences(desk(), portfolio_id)
        counts["compared"] += 1
        found.extend(lasting)
        for difference in lasting:
            logger.error("the books differ from the ledger", extra=asdict(difference))

    counts = Counter(compared=0)
    try:
        unknown = each_portfolio(desk(), event.get("portfolio_ids"), act)
    finally:
        if found:
            measures.count("ReconciliationDifferences", len(found))
    answer = {**counts, "differences": len(found), "unknown": unknown}
    logger.info("books compared with the ledger", extra={"counts": answer})
    return answer
