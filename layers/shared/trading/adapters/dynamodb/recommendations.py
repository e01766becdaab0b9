"""Recommendations, and the outbox from which they reach the queue."""

from __future__ import annotations

from trading.adapters.dynamodb import keys, store
from trading.adapters.dynamodb.codec import Item, decode, encode
from trading.adapters.dynamodb.counters import counter, read_counters
from trading.adapters.dynamodb.store import ConditionFailed, Store, Write
from trading.domain.errors import ConcurrentUpdate, NotFound
from trading.domain.recommendation import Recommendation, RecommendationStatus

_ON_THE_WAY = (RecommendationStatus.QUEUED, RecommendationStatus.EXECUTING)


class RecommendationRepository:
    """The recommendations table."""

    def __init__(self, source: Store, table: str) -> None:
        self._store = source
        self._table = table

    def get(self, identifier: str) -> Recommendation:
        """Read one. Raises NotFound."""
        item = self._store.get(self._table, keys.recommendation(identifier))
        if item is None:
            raise NotFound("recommendation", identifier)
        return decode(Recommendation, item)

    def create(self, recommendation: Recommendation) -> bool:
        """Write a new one; False, and nothing written, if its id exists."""
        try:
            self._store.transact(recommendation_writes(self._table, recommendation, None))
        except ConditionFailed:
            return False
        return True

    def move(self, recommendation: Recommendation, was: Recommendation) -> None:
        """Write a change of state. Raises ConcurrentUpdate if it is no longer as it was."""
        try:
            self._store.transact(recommendation_writes(self._table, recommendation, was))
        except ConditionFailed as error:
            raise ConcurrentUpdate(
                f"recommendation '{was.id}' is no longer {was.execution_status}"
            ) from error

    def newest(
        self, portfolio_id: str, limit: int, before: str | None = None
    ) -> list[tuple[str, Recommendation]]:
        """A portfolio's newest, each with the place in the list that it stands at."""
        items = self._store.query(
            self._table,
            portfolio_id,
            index="by_portfolio",
            before=before,
            limit=limit,
            newest_first=True,
        )
        return [(item["portfolio_sk"], decode(Recommendation, item)) for item in items]

    def outbox(self, limit: int) -> list[Recommendation]:
        """The oldest that were saved but not yet sent."""
        items = self._store.query(self._table, keys.OUTBOX, index="outbox", limit=limit)
        return [decode(Recommendation, item) for item in items]

    def unfinished(self, portfolio_id: str) -> list[Recommendation]:
        """A portfolio's recommendations that are on their way: unsent, queued or executing."""
        sent = self._store.query(self._table, keys.on_the_way(portfolio_id), index="outbox")
        unsent = self._store.query(self._table, keys.OUTBOX, index="outbox")
        own = [item for item in unsent if item["portfolio_id"] == portfolio_id]
        return [decode(Recommendation, item) for item in (*own, *sent)]

    def queued(self, limit: int) -> list[Recommendation]:
        """Those that the queue has or had, of every portfolio that the counters say has any.

        Of each portfolio the oldest ``limit`` that are on their way are looked at.
        """
        status = RecommendationStatus.QUEUED
        found = []
        for portfolio_id, states in self.counts().items():
            if states.get(status.value):
                partition = keys.on_the_way(portfolio_id)
                items = self._store.query(self._table, partition, index="outbox", limit=limit)
                found += [decode(Recommendation, item) for item in items]
        return [r for r in found if r.execution_status is status]

    def counts(self) -> dict[str, dict[str, int]]:
        """How many stand in each state, by portfolio."""
        return read_counters(self._store, self._table)


def recommendation_writes(
    table: str, recommendation: Recommendation, was: Recommendation | None
) -> list[Write]:
    """The writes that save a recommendation, guarded by the state it was in, and count it."""
    item = _item(recommendation)
    moves = {recommendation.execution_status.value: 1}
    if was is None:
        saved = store.put_new("recommendation", table, item)
    else:
        guard = "execution_status = :was"
        values = {":was": was.execution_status.value}
        saved = store.put("recommendation", table, item, guard, values)
        moves[was.execution_status.value] = -1
    return [saved, counter(table, recommendation.portfolio_id, moves)]


def _item(recommendation: Recommendation) -> Item:
    """Its stored form; unsent ones stand in the outbox, those on their way beside it."""
    place = keys.timed(recommendation.created_at, recommendation.id)
    item = encode(recommendation) | keys.recommendation(recommendation.id)
    item |= {"portfolio_pk": recommendation.portfolio_id, "portfolio_sk": place}
    if recommendation.execution_status is RecommendationStatus.PENDING:
        item |= {"outbox_pk": keys.OUTBOX, "outbox_sk": place}
    elif recommendation.execution_status in _ON_THE_WAY:
        on_the_way = keys.on_the_way(recommendation.portfolio_id)
        item |= {"outbox_pk": on_the_way, "outbox_sk": place}
    return item
