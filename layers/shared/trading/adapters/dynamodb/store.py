"""The few DynamoDB calls that the platform makes, with their errors translated.

Nothing here scans. Conditional failures and transaction conflicts become ``ConditionFailed`` and
``ConcurrentUpdate``; a table that throttles becomes ``Throttled``, any other fault ``Unavailable``.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from trading import deadline
from trading.adapters.dynamodb.codec import Item, from_attributes, to_attributes
from trading.domain.errors import ConcurrentUpdate, Throttled, TradingError, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

Key = dict[str, str]
MAX_BATCH_GET = 100
MAX_BATCH_WRITE = 25
MAX_TRANSACTION = 100
MAX_ROUNDS = 8
"""How often the rest of a batch is asked for again before the table counts as throttling."""
_THROTTLING = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
}
_BUSY = {
    "TransactionConflictException": "another writer is busy with the same item",
    # Its outcome is not known: whoever reads again sees whether it happened.
    "TransactionInProgressException": "the same transaction is still under way",
}


class ConditionFailed(TradingError):
    """A guarded write found the item other than required. ``names`` says which guards failed."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(f"condition failed: {', '.join(names)}")
        self.names = tuple(names)


@dataclass(frozen=True)
class Range:
    """A condition on the range key: a prefix, or bounds (inclusive)."""

    prefix: str | None = None
    start: str | None = None
    end: str | None = None


@dataclass(frozen=True)
class Write:
    """One action of a transaction. ``name`` names its guard in errors; ``kind`` is DynamoDB's."""

    name: str
    kind: str
    table: str
    body: dict[str, Any] = field(default_factory=dict)


def put(
    name: str,
    table: str,
    item: Item,
    condition: str | None = None,
    values: Mapping[str, Any] | None = None,
    names: Mapping[str, str] | None = None,
) -> Write:
    """Write a whole item, under a condition if one is given."""
    body: dict[str, Any] = {"Item": to_attributes(item)}
    return Write(name, "Put", table, body | _expression(condition, values, names))


def put_new(name: str, table: str, item: Item) -> Write:
    """Write a whole item that must not exist yet."""
    return put(name, table, item, "attribute_not_exists(pk)")


def update(
    name: str,
    table: str,
    key: Key,
    expression: str,
    values: Mapping[str, Any],
    condition: str | None = None,
    names: Mapping[str, str] | None = None,
) -> Write:
    """Change an item by an update expression."""
    body: dict[str, Any] = {"Key": to_attributes(key), "UpdateExpression": expression}
    return Write(name, "Update", table, body | _expression(condition, values, names))


def delete(name: str, table: str, key: Key) -> Write:
    """Remove an item, if it is there."""
    return Write(name, "Delete", table, {"Key": to_attributes(key)})


def check(
    name: str, table: str, key: Key, condition: str, values: Mapping[str, Any] | None = None
) -> Write:
    """Require something of an item without changing it."""
    body: dict[str, Any] = {"Key": to_attributes(key)}
    return Write(name, "ConditionCheck", table, body | _expression(condition, values, None))


def _expression(
    condition: str | None, values: Mapping[str, Any] | None, names: Mapping[str, str] | None
) -> dict[str, Any]:
    """The parts of a request that are only sent when they are used."""
    parts: dict[str, Any] = {}
    if condition:
        parts["ConditionExpression"] = condition
    if values:
        parts["ExpressionAttributeValues"] = to_attributes(values)
    if names:
        parts["ExpressionAttributeNames"] = dict(names)
    return parts


@contextmanager
def translated() -> Iterator[None]:
    """Turn botocore's errors into the platform's own."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code == "ConditionalCheckFailedException":
            raise ConditionFailed(["item"]) from error
        if code in _BUSY:
            raise ConcurrentUpdate(_BUSY[code]) from error
        if code in _THROTTLING:
            raise Throttled("the database asks to slow down") from error
        raise Unavailable(f"the database refused the call: {code}") from error
    except BotoCoreError as error:
        raise Unavailable("the database does not answer") from error


class Store:
    """DynamoDB through a boto3 client; items are plain dicts with ``Decimal`` numbers."""

    def __init__(self, client: DynamoDBClient) -> None:
        self._client = client

    def get(self, table: str, key: Key, *, consistent: bool = True) -> Item | None:
        """Read one item, or None."""
        with translated():
            answer = self._client.get_item(
                TableName=table, Key=to_attributes(key), ConsistentRead=consistent
            )
        found = answer.get("Item")
        return from_attributes(found) if found else None

    def get_many(
        self, keys: Sequence[tuple[str, Key]], *, consistent: bool = True
    ) -> dict[tuple[str, str, str], Item]:
        """Read items of several tables at once, answered by (table, pk, sk); missing ones lack."""
        found: dict[tuple[str, str, str], Item] = {}
        for start in range(0, len(keys), MAX_BATCH_GET):
            request: dict[str, Any] = {}
            for table, key in keys[start : start + MAX_BATCH_GET]:
                entry = request.setdefault(table, {"Keys": [], "ConsistentRead": consistent})
                entry["Keys"].append(to_attributes(key))
            for _ in _rounds():
                with translated():
                    answer = self._client.batch_get_item(RequestItems=request)
                for table, items in answer["Responses"].items():
                    for item in map(from_attributes, items):
                        found[(table, item["pk"], item["sk"])] = item
                request = dict(answer.get("UnprocessedKeys") or {})
                if not request:
                    break
        return found

    def query(
        self,
        table: str,
        pk: str,
        within: Range | None = None,
        *,
        index: str | None = None,
        before: str | None = None,
        limit: int | None = None,
        newest_first: bool = False,
        consistent: bool = False,
    ) -> list[Item]:
        """Read one partition in range key order, at most ``limit`` items.

        ``index`` names a secondary index, whose keys are called ``<prefix>_pk`` and
        ``<prefix>_sk`` after ``INDEX_PREFIX``. ``before`` is an exclusive upper bound of the range
        key, for paging backwards. Bounds that cross hold nothing, as DynamoDB refuses to look.
        """
        prefix = f"{INDEX_PREFIX[index]}_" if index else ""
        request = _query_request(table, prefix, pk, within or Range(), before)
        bounds = request["ExpressionAttributeValues"]
        if ":a" in bounds and ":b" in bounds and bounds[":a"]["S"] > bounds[":b"]["S"]:
            return []
        request["ScanIndexForward"] = not newest_first
        if index:
            request["IndexName"] = index
        elif consistent:
            request["ConsistentRead"] = True
        items: list[Item] = []
        while True:
            if limit is not None:
                request["Limit"] = limit - len(items)
            with translated():
                answer = self._client.query(**request)
            items.extend(map(from_attributes, answer["Items"]))
            last = answer.get("LastEvaluatedKey")
            if not last or (limit is not None and len(items) >= limit):
                return items
            request["ExclusiveStartKey"] = last

    def put_item(
        self,
        table: str,
        item: Item,
        condition: str | None = None,
        values: Mapping[str, Any] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> None:
        """Write one item. Raises ConditionFailed if it has a condition that does not hold."""
        with translated():
            self._client.put_item(
                TableName=table,
                Item=to_attributes(item),
                **_expression(condition, values, names),
            )

    def update_item(
        self,
        table: str,
        key: Key,
        expression: str,
        values: Mapping[str, Any] | None = None,
        condition: str | None = None,
        names: Mapping[str, str] | None = None,
    ) -> None:
        """Change one item. Raises ConditionFailed if it has a condition that does not hold."""
        with translated():
            self._client.update_item(
                TableName=table,
                Key=to_attributes(key),
                UpdateExpression=expression,
                **_expression(condition, values, names),
            )

    def put_many(self, table: str, items: Sequence[Item]) -> None:
        """Write items without conditions, in batches, until every one is in."""
        for start in range(0, len(items), MAX_BATCH_WRITE):
            chunk = items[start : start + MAX_BATCH_WRITE]
            request: Any = {table: [{"PutRequest": {"Item": to_attributes(i)}} for i in chunk]}
            for _ in _rounds():
                with translated():
                    answer = self._client.batch_write_item(RequestItems=request)
                request = answer.get("UnprocessedItems")
                if not request:
                    break

    def transact(self, writes: Sequence[Write]) -> None:
        """Write all or nothing.

        Raises ConditionFailed with the names of the guards that failed, ConcurrentUpdate when
        another transaction was busy with one of the items, or Throttled. The client gives every
        transaction a token of its own, so that what it sends again by itself counts once.
        """
        actions: Any = [{w.kind: {"TableName": w.table, **w.body}} for w in writes]
        try:
            with translated():
                self._client.transact_write_items(TransactItems=actions)
        except Unavailable as error:
            cause = error.__cause__
            if isinstance(cause, self._client.exceptions.TransactionCanceledException):
                raise _cancelled(writes, cause.response) from cause
            raise

    def reachable(self, table: str) -> bool:
        """Tell whether the table answers a read of the cheapest kind."""
        try:
            self.get(table, {"pk": "HEALTH", "sk": "HEALTH"}, consistent=False)
        except Unavailable:
            return False
        return True


def _rounds() -> Iterator[int]:
    """Count the rounds of a batch, pausing between; raises Throttled after those it is given."""
    for turn in range(MAX_ROUNDS):
        yield turn
        if not deadline.wait(random.uniform(0, 0.02 * 2**turn)):  # noqa: S311 - spreads load only
            break
    raise Throttled("the database asks to slow down")


# Sorts after every character that a range key is made of.
_HIGH = "\uffff"

INDEX_PREFIX = {
    "recent": "recent",
    "by_strategy": "strategy",
    "by_portfolio": "portfolio",
    "outbox": "outbox",
    "open": "open",
}


def _query_request(
    table: str, prefix: str, pk: str, within: Range, before: str | None
) -> dict[str, Any]:
    """The key condition of a query; DynamoDB allows one condition on the range key."""
    names = {"#p": f"{prefix}pk"}
    values: dict[str, Any] = {":p": pk}
    start = within.start if within.start is not None else within.prefix
    end = within.end if within.prefix is None else within.prefix + _HIGH
    if before is not None:
        # The bound is inclusive: step just below the last item of the page before. A place that
        # lies above the range, as one that no page gave may, does not widen it.
        below = before[:-1] + chr(ord(before[-1]) - 1) + _HIGH
        end = below if end is None else min(end, below)
    clause = ""
    if start is not None and end is not None:
        clause, values[":a"], values[":b"] = " AND #s BETWEEN :a AND :b", start, end
    elif start is not None:
        clause, values[":a"] = " AND #s >= :a", start
    elif end is not None:
        clause, values[":b"] = " AND #s <= :b", end
    if clause:
        names["#s"] = f"{prefix}sk"
    return {
        "TableName": table,
        "KeyConditionExpression": f"#p = :p{clause}",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": to_attributes(values),
    }


def _cancelled(writes: Sequence[Write], response: Any) -> TradingError:
    """Name what cancelled a transaction."""
    reasons = [reason.get("Code", "None") for reason in response.get("CancellationReasons", [])]
    failed = [w.name for w, code in zip(writes, reasons, strict=False) if "Conditional" in code]
    if failed:
        return ConditionFailed(failed)
    if "TransactionConflict" in reasons:
        return ConcurrentUpdate("another transaction is busy with the same items")
    if any(code in ("ThrottlingError", "ProvisionedThroughputExceeded") for code in reasons):
        return Throttled("the database asks to slow down")
    return Unavailable(f"the transaction was refused: {sorted(set(reasons))}")
